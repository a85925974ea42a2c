"""Videos: read as a source, written again with the sound that was copied, and verified."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from engine.errors import EngineError
from stream.errors import StreamError
from stream.sinks import SinkSettings, open_sink
from stream.sources import SourceSettings, open_source
from stream.sources.file import metadata
from tests import barcode
from tests.contract.media import STEADY, TIME_BASE, write_video
from tests.contract.pictures_as_video import jpeg, png, write_mov_of_png
from tests.fuzz.kind import Kind, Reader

_MOST_FRAMES = 100


def _seeds(suffix: str) -> Sequence[bytes]:
    pictures = [barcode.picture(number, 96, 64) for number in range(12)]
    # MPEG-4 knows no unit below 1/65535 s.
    base = Fraction(1, 25) if suffix == "avi" else TIME_BASE
    ticks = list(range(12)) if suffix == "avi" else STEADY[:12]
    write = partial(write_video, pictures=pictures, time_base=base)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"seed.{suffix}"
        if suffix == "gif":
            gif = write(path, ticks, codec="gif", pix_fmt="rgb8")
            return [gif.read_bytes()]
        plain = {"avi": "mpeg4"}.get(suffix, "libx264")
        made = [write(path, ticks, codec=plain).read_bytes()]
        sound = "libmp3lame" if suffix == "avi" else "aac"
        both = write(path, ticks, codec=plain, sound_s=0.5, sound_codec=sound)
        made.append(both.read_bytes())
        if suffix in {"mp4", "mov"}:
            turned = write(
                path,
                ticks,
                turn=90,
                options={"g": "4"},
                container_options={"movflags": "frag_keyframe+empty_moov"},
            )
            made.append(turned.read_bytes())
        return made


def _stills() -> Sequence[bytes]:
    picture = barcode.picture(5, 96, 64)
    with tempfile.TemporaryDirectory() as folder:
        movie = write_mov_of_png(Path(folder) / "seed.mov", png(picture), turn=90)
        return [png(picture, orientation=6), jpeg(picture, 5), movie.read_bytes()]


@contextmanager
def _reading(suffix: str, folder: Path) -> Iterator[Reader]:
    path = folder / f"input.{suffix}"
    out = folder / ("out.mkv" if suffix in {"mkv", "avi"} else "out.mp4")

    def read(data: bytes) -> None:
        path.write_bytes(data)
        with open_source(str(path), SourceSettings(threads=1)) as source:
            sink = open_sink(str(out), source.info, SinkSettings(threads=1, preset="ultrafast"))
            with sink:
                for frame in islice(source, _MOST_FRAMES):
                    sink.write(frame)
        metadata(path)
        if find_spec("c2pa") is not None:
            from stream.marking.c2pa import read as signature  # noqa: PLC0415 - an extra

            signature(path, None)

    yield read


KINDS = {
    suffix: Kind(
        seeds=partial(_seeds, suffix),
        reading=partial(_reading, suffix),
        refusals=(StreamError, EngineError),
        words=[b"mdat", b"moov", b"trak", b"stts", b"avcC", b"\x00\x00\x00\x01"],
    )
    for suffix in ("mp4", "mov", "mkv", "ts", "avi", "gif")
} | {
    "still": Kind(
        seeds=_stills,
        reading=partial(_reading, "mp4"),
        refusals=(StreamError, EngineError),
        words=[b"iCCP", b"eXIf", b"IHDR", b"IDAT", b"\xff\xe1", b"Exif\0\0", b"II*\0"],
    )
}
