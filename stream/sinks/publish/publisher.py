"""Every receiver on the network as one sink: encoded once, each served at its own pace."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from stream.errors import SinkError
from stream.frame import AudioPacket, Frame, SourceInfo
from stream.health import Health
from stream.marking.synthetic import COMMENT, SOURCE_TYPE, TITLE
from stream.sinks.encoder import EncodedPicture, H264Encoder
from stream.sinks.publish.command import check_command
from stream.sinks.publish.receiver import Receiver
from stream.sinks.publish.settings import PublishSettings
from stream.sinks.publish.sound import Sound
from stream.sinks.publish.target import Target, target_of
from stream.sinks.publish.worker import KEY_PICTURE, PICTURE, SOUND, Message
from stream.sinks.target import check_target
from stream.sinks.yuv import BT709, to_yuv

_FINISH_S = 3.0
_METADATA = {
    "title": TITLE,
    "comment": COMMENT,
    "digital_source_type": SOURCE_TYPE,
    "service_name": TITLE,  # Where MPEG-TS puts a title.
}


class Publisher:
    """Encodes frames once and sends them to any number of receivers.

    A receiver that is slow, dead or not there yet neither holds up `write` nor disturbs the
    others: it is served by a child process, which is ended when it makes no progress, and
    connected anew. One that never got anything is a failure, but only at the end. Times are the
    source's. The first size stays: later frames of another size are letterboxed.
    """

    leaky = False

    def __init__(self, urls: Sequence[str], info: SourceInfo, settings: PublishSettings) -> None:
        """Reads the URLs; does no I/O.

        Args:
            urls: as `is_receiver` accepts them, at least one.
            info: size, rate and sound of what is to come.
            settings: encoder, patience, pauses.

        Raises:
            SinkError: a URL that leads nowhere.
        """
        self._info = info
        self._settings = settings
        self._targets = _named(
            [
                target_of(url, stall_s=settings.stall_s, keyframe_s=settings.keyframe_s)
                for url in urls
            ]
        )
        self._receivers: dict[str, Receiver] = {}
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        for target in self._targets.values():
            if target.command:
                check_command(self._settings.ffmpeg, target)
            if target.file:
                check_target(Path(target.file), self._info)
        with ExitStack() as opened:
            info = self._info
            self._encoder = H264Encoder(
                info.width,
                info.height,
                self._settings,
                rate=info.rate,
                sample_aspect=info.sample_aspect,
            )
            # Loads the compiled loops before anybody takes the time.
            to_yuv(np.zeros((2, 2, 3), np.uint8), 2, 2, BT709)
            self._sound: Sound | None = None
            if info.audio is not None and self._settings.audio:
                self._sound = Sound(info.audio, self._settings.audio_kbps)
                opened.callback(self._sound.close)
            self._receivers = {
                name: self._receiver(target) for name, target in self._targets.items()
            }
            self._loop = asyncio.new_event_loop()
            opened.callback(self._loop.close)
            self._finishing = asyncio.Event()
            self._failure: BaseException | None = None
            self._thread = threading.Thread(target=self._serve, name="facestream-publish")
            self._thread.start()
            self._opened = opened.pop_all()
        return self

    def write(self, frame: Frame) -> None:
        """Encodes one frame and hands it on; waits for the encoder only.

        Raises:
            SinkError: the encoder failed.
        """
        if self._failure is not None:
            raise SinkError(f"publishing ended: {self._failure}") from self._failure
        # Sound first: it belongs to the time before the picture.
        source = list(frame.audio)
        aac = self._sound.convert(source) if self._sound is not None else []
        pictures = self._encoder.encode(frame.image, self._info.origin_ns + frame.pts_ns)
        self._loop.call_soon_threadsafe(self._offer, source, aac, pictures)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._finishing.set)
        self._thread.join()
        self._opened.close()
        if error is not None:
            return
        if self._failure is not None:
            raise SinkError(f"publishing ended: {self._failure}") from self._failure
        unreached = [
            f"{name}: nothing could be sent: {health.detail}"
            for name, health in self.health().items()
            if health.detail and not health.sent
        ]
        if unreached:
            raise SinkError("; ".join(unreached))

    def health(self) -> Mapping[str, Health]:
        """Every receiver by its URL without secrets; any thread may ask."""
        return {name: receiver.health for name, receiver in self._receivers.items()}

    def _receiver(self, target: Target) -> Receiver:
        sound = self._sound.for_target(target) if self._sound is not None else None
        return Receiver(target, self._settings, sound, _METADATA, self._encoder.request_keyframe)

    def _serve(self) -> None:
        try:
            self._loop.run_until_complete(self._serve_all())
        except BaseException as error:  # noqa: BLE001 - raised by the thread that writes
            self._failure = error

    async def _serve_all(self) -> None:
        receivers = self._receivers.values()
        tasks = {receiver: asyncio.ensure_future(receiver.serve()) for receiver in receivers}
        try:
            await self._finishing.wait()
            connected = [task for receiver, task in tasks.items() if receiver.finish()]
            if connected:
                await asyncio.wait(connected, timeout=_FINISH_S)
        finally:
            for task in tasks.values():
                task.cancel()
            ends = await asyncio.gather(*tasks.values(), return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _offer(
        self,
        source: Sequence[AudioPacket],
        aac: Sequence[AudioPacket],
        pictures: Sequence[EncodedPicture],
    ) -> None:
        own = [_sound_message(packet) for packet in source]
        made = [_sound_message(packet) for packet in aac]
        seen = [_picture_message(picture) for picture in pictures]
        for receiver in self._receivers.values():
            if receiver.sound is None or self._sound is None:
                receiver.offer(seen)
            elif receiver.sound is self._sound.source:
                receiver.offer(own + seen)
            else:
                receiver.offer(made + seen)


def _sound_message(packet: AudioPacket) -> Message:
    return Message(SOUND, packet.data, packet.pts, packet.dts, packet.duration)


def _picture_message(picture: EncodedPicture) -> Message:
    kind = KEY_PICTURE if picture.is_key else PICTURE
    return Message(kind, picture.data, picture.pts, picture.pts)


def _named(targets: Sequence[Target]) -> dict[str, Target]:
    """By name; two that look alike without their secrets are numbered."""
    uses: Counter[str] = Counter()
    named = {}
    for target in targets:
        uses[target.name] += 1
        number = uses[target.name]
        named[target.name if number == 1 else f"{target.name} ({number})"] = target
    return named
