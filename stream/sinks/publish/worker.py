"""The child process that serves one receiver: packets from standard input into a muxer.

FFmpeg's network writers hold the GIL while they connect, and block without limit on a peer that
stops reading. Here that hurts nobody: the parent kills what makes no progress.

A script of its own, which imports nothing of the project, because that would take half a second
each time that a receiver is connected anew. It answers with lines on standard output: `ready`,
`connected`, `sent` for each packet, and at last `ended`, or `failed` and the reason.
"""

from __future__ import annotations

import base64
import ctypes
import io
import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import BinaryIO, NamedTuple

import av
from av.container import OutputContainer
from av.stream import Stream

PICTURE, KEY_PICTURE, SOUND, END = range(4)
"""Kinds of messages."""

_HEAD = struct.Struct("<BIqqI")
_SIZE = struct.Struct("<I")
_PR_SET_PDEATHSIG = 1
_TCP_NOTSENT_LOWAT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_SETTLED = "Output #0"  # What the ffmpeg command says once its output is open.
_EXAMINED_S = (Fraction(0), Fraction(15, 100))
"""When the two pictures come that the ffmpeg command wants to see before it connects: further
apart than the muxer waits for sound (`max_interleave_delta`)."""
_LEAD_S = Fraction(30, 100)
_FINISH_S = 2.0
_UNSENT_BYTES = 1 << 16
_FDS = 256


class Message(NamedTuple):
    """A packet, or the end.

    Attributes:
        kind: one of the constants above.
        data: the packet's bytes.
        pts, dts, duration: in the time base that the setup names.
    """

    kind: int
    data: bytes = b""
    pts: int = 0
    dts: int = 0
    duration: int = 0

    def packed(self) -> bytes:
        """As it goes through the pipe."""
        head = _HEAD.pack(self.kind, len(self.data), self.pts, self.dts, self.duration)
        return head + self.data


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told first; plain values, so that it can travel as JSON.

    Attributes:
        url, container, options: of the output.
        key_picture: a key frame with parameter sets, base64: the video stream's description.
        sound: a tiny file with one stream, base64: the description of the sound; or empty.
        picture_time_base, sound_time_base: seconds per tick, as numerator and denominator.
        metadata: of the container.
        command: the ffmpeg command that takes the container from its standard input and sends
            it; empty to send it from here.
    """

    url: str
    container: str
    options: dict[str, str]
    key_picture: str
    sound: str
    picture_time_base: tuple[int, int]
    sound_time_base: tuple[int, int]
    metadata: dict[str, str]
    command: list[str]

    def packed(self) -> bytes:
        """As it goes through the pipe."""
        data = json.dumps(asdict(self)).encode()
        return _SIZE.pack(len(data)) + data


def main() -> int:
    """Serve until the end, a failure, or the parent's death."""
    _die_with_parent()
    _say("ready")
    pipe = sys.stdin.buffer
    try:
        (size,) = _SIZE.unpack(_read(pipe, _SIZE.size))
        setup = Setup(**json.loads(_read(pipe, size)))
        output = _Output(setup)
        _say("connected")
        for message in _messages(pipe):
            output.mux(message)
            _say("sent")
        output.close()
    except EOFError:
        return 1  # The parent is gone: nobody listens.
    except (av.error.FFmpegError, OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        _say(f"failed {' '.join(str(words).split())}")
        return 1
    _say("ended")
    return 0


class _Output:
    """One muxer, whose time begins with the first key frame."""

    def __init__(self, setup: Setup) -> None:
        self._command = _Command(setup.command) if setup.command else None
        self._target = self._command.inlet if self._command else setup.url
        self._origin: Fraction | None = None
        try:
            self._open(setup)
        except (av.error.FFmpegError, OSError):
            if self._command:
                self._command.fail()
            raise

    def _open(self, setup: Setup) -> None:
        self._container = av.open(self._target, "w", format=setup.container, options=setup.options)
        picture = base64.b64decode(setup.key_picture)
        self._video = _add(self._container, picture, "h264", setup.picture_time_base)
        self._sound = None
        if setup.sound:
            sound = base64.b64decode(setup.sound)
            self._sound = _add(self._container, sound, None, setup.sound_time_base)
        self._bases = {
            id(self._video): Fraction(*setup.picture_time_base),
            id(self._sound): Fraction(*setup.sound_time_base),
        }
        self._container.metadata.update(setup.metadata)
        self._container.start_encoding()
        _keep_young()
        if self._command:
            for time_s in _EXAMINED_S:
                ticks = round(time_s / self._bases[id(self._video)])
                self._mux(self._video, Message(KEY_PICTURE, picture, ticks, ticks), Fraction(0))
            self._command.wait_until_open()

    def mux(self, message: Message) -> None:
        """Sends a packet; those before the first key frame, and sound before it, are left out."""
        try:
            if message.kind == SOUND:
                if self._sound is not None and self._origin is not None:
                    self._mux(self._sound, message, self._origin)
                return
            if self._origin is None:
                if message.kind != KEY_PICTURE:
                    return
                self._origin = message.pts * self._bases[id(self._video)]
                if self._command:
                    self._origin -= _LEAD_S
            self._mux(self._video, message, self._origin)
        except (av.error.FFmpegError, OSError):
            if self._command:
                self._command.fail()
            raise

    def _mux(self, stream: Stream, message: Message, origin: Fraction) -> None:
        base = self._bases[id(stream)]
        shift = round(origin / base)
        if message.pts < shift:
            return
        packet = av.Packet(message.data)
        packet.pts, packet.dts = message.pts - shift, message.dts - shift
        packet.duration, packet.time_base = message.duration, base
        packet.is_keyframe = message.kind != PICTURE
        packet.stream = stream
        self._container.mux(packet)

    def close(self) -> None:
        self._container.close()
        if self._command:
            self._command.close()


class _Command:
    """The ffmpeg command, between a muxer and a protocol that PyAV does not speak."""

    def __init__(self, arguments: list[str]) -> None:
        prepare = _die_with_parent if sys.platform == "linux" else None
        self._process = subprocess.Popen(  # noqa: S603 - arguments are the project's own
            arguments,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=prepare,  # noqa: PLW1509 - no other thread runs yet
        )
        assert self._process.stdin is not None
        self.inlet = self._process.stdin
        self._said: list[str] = []
        self._open = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_until_open(self) -> None:
        self._open.wait()
        if self._process.poll() is not None:
            self.fail()

    def fail(self) -> None:
        """Raises with the command's last words."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        raise OSError(self._said[-1] if self._said else "the ffmpeg command ended")

    def close(self) -> None:
        self.inlet.close()
        self._process.wait(_FINISH_S)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode(errors="replace").strip()
            if text.startswith(_SETTLED):
                self._open.set()
            elif text:
                self._said = [text]
        self._process.wait()
        self._open.set()


def _keep_young() -> None:
    # The system would take megabytes for a slow receiver, tens of seconds of pictures that only
    # get older; what waits in the parent's queue instead can be left out. And it would keep the
    # end of a picture until the receiver has acknowledged the beginning.
    options = {socket.TCP_NODELAY: 1}
    if _TCP_NOTSENT_LOWAT is not None:
        options[_TCP_NOTSENT_LOWAT] = _UNSENT_BYTES
    for fd in range(3, _FDS):
        try:
            if not stat.S_ISSOCK(os.fstat(fd).st_mode):
                continue
        except OSError:
            continue
        with socket.socket(fileno=os.dup(fd)) as known, suppress(OSError):
            for option, value in options.items():
                known.setsockopt(socket.IPPROTO_TCP, option, value)


def _add(
    container: OutputContainer, description: bytes, kind: str | None, base: tuple[int, int]
) -> Stream:
    with av.open(io.BytesIO(description), format=kind) as file:
        # "opaque" copies the parameters without looking for an encoder.
        stream = container.add_stream_from_template(file.streams[0], opaque=True)
    stream.time_base = Fraction(*base)
    return stream


def _messages(pipe: BinaryIO) -> Iterator[Message]:
    while True:
        kind, size, pts, dts, duration = _HEAD.unpack(_read(pipe, _HEAD.size))
        if kind == END:
            return
        yield Message(kind, _read(pipe, size), pts, dts, duration)


def _read(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _say(line: str) -> None:
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _die_with_parent() -> None:
    # A muxer that blocks would not notice that its standard input has ended.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    # Without the interpreter's farewell, which would close muxers and could block in there.
    os._exit(main())
