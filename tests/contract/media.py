"""Small real files, made with PyAV alone so that they cannot share the sinks' mistakes."""

from __future__ import annotations

import http.server
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from engine.face import Image
from stream.frame import Frame, SourceInfo
from stream.sinks import Sink
from tests import barcode

RATE = Fraction(25)
TIME_BASE = Fraction(1, 90_000)
STEADY = [3600 * k for k in range(40)]  # 25 Hz in ticks of 1/90000 s
SAMPLE_RATE = 44_100


def uneven(count: int, seed: int = 1) -> list[int]:
    """Ticks of a variable frame rate, 1/90000 s each, 16 to 100 ms apart."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    ticks = [0]
    while len(ticks) < count:
        ticks.append(ticks[-1] + chance.randint(1500, 9000))
    return ticks


def write_video(
    path: Path,
    ticks: Sequence[int] = STEADY,
    *,
    time_base: Fraction = TIME_BASE,
    pictures: Sequence[Image] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    sound_s: float = 0.0,
    sound_codec: str = "aac",
    turn: int = 0,
    mirror: bool = False,
    aspect: Fraction | None = None,
    colors: dict[str, Any] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encodes bar codes, or the given pictures, at the given ticks."""
    if pictures is None:
        pictures = [barcode.picture(number) for number in range(len(ticks))]
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", options=container_options or {}) as output:
        video = output.add_stream(codec, rate=RATE, options=options or {})
        context = video.codec_context
        context.width, context.height, context.pix_fmt = width, height, pix_fmt
        context.time_base = video.time_base = time_base
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if turn or mirror:
            video.set_display_rotation(turn, mirror)
        sound = None
        if sound_s:
            rate = 48_000 if sound_codec == "libopus" else SAMPLE_RATE
            sound = output.add_stream(sound_codec, rate=rate)
            sound.layout = "mono"
        for name, value in (colors or {}).items():
            setattr(context, name, value)
        for tick, image in zip(ticks, pictures, strict=True):
            picture = av.VideoFrame.from_ndarray(image, "bgr24")
            picture = picture.reformat(
                format=pix_fmt,
                dst_colorspace=(colors or {}).get("colorspace"),
                dst_color_range=(colors or {}).get("color_range"),
            )
            picture.pts, picture.time_base = tick, time_base
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
        if sound is not None:
            for frame in _tone(sound_s, sound.codec_context.frame_size or 1024, rate):
                output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A file without any picture."""
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", rate=SAMPLE_RATE)
        sound.layout = "mono"
        for frame in _tone(0.5, 1024, SAMPLE_RATE):
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


def _tone(seconds: float, size: int, rate: int) -> list[av.AudioFrame]:
    frames = []
    for start in range(0, int(seconds * rate), size):
        wave = np.sin(np.arange(start, start + size) * 0.06).astype(np.float32) * 0.3
        frame = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, start
        frame.time_base = Fraction(1, rate)
        frames.append(frame)
    return frames


def video_times(path: Path) -> list[Fraction]:
    """Exact presentation times of all pictures, in seconds."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        return [frame.pts * stream.time_base for frame in source.decode(stream)]


def video_numbers(path: Path) -> list[int]:
    """Bar codes of all pictures that decode; a file may end in the middle of one."""
    numbers = []
    with av.open(str(path)) as source:
        try:
            for frame in source.decode(source.streams.video[0]):
                numbers.append(barcode.read(frame.to_ndarray(format="bgr24")))  # noqa: PERF401
        except av.error.InvalidDataError:
            pass
    return numbers


def sound_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Exact times in seconds and bytes of all sound packets."""
    with av.open(str(path)) as source:
        stream = source.streams.audio[0]
        return [
            (packet.pts * stream.time_base, bytes(packet))
            for packet in source.demux(stream)
            if packet.size
        ]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path, handler: type[Quiet] = Quiet) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(handler, directory=str(folder))
    )
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://user:secret@127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def folder_of_pictures(folder: Path, count: int, suffix: str = ".png") -> Path:
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"shot{number}{suffix}"), barcode.picture(number))
    return folder


def frames_at(ticks: Sequence[int], size: tuple[int, int] = (96, 64)) -> list[Frame]:
    return [barcode.recolored(frame) for frame in barcode.BarcodeSource(ticks, size=size)]


def info_of(size: tuple[int, int] = (96, 64), **changes: object) -> SourceInfo:
    info = SourceInfo(url="barcode:", width=size[0], height=size[1])
    return replace(info, **changes)  # type: ignore[arg-type]


def write_all(sink: Sink, frames: Sequence[Frame]) -> None:
    with sink:
        for frame in frames:
            sink.write(frame)
