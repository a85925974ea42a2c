"""Pictures: read as a source, written again, and searched for what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from engine.errors import EngineError
from stream.errors import StreamError
from stream.marking import xmp
from stream.sinks import SinkSettings, open_sink
from stream.sources import SourceSettings, open_source
from tests import barcode
from tests.fuzz.kind import Kind, Reader


def _seeds(suffix: str) -> Sequence[bytes]:
    color = barcode.picture(5, 96, 64)
    pictures = [color, color[:, :, 0], np.random.default_rng(1).integers(0, 255, (24, 17, 3))]
    made = []
    for picture in pictures:
        ok, data = cv2.imencode(f".{suffix}", picture.astype(np.uint8))
        assert ok
        made.append(data.tobytes())
    return made


@contextmanager
def _reading(suffix: str, folder: Path) -> Iterator[Reader]:
    path, out = folder / f"input.{suffix}", folder / "out.png"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        xmp.read(data)
        with open_source(str(path), SourceSettings(threads=1)) as source:
            sink = open_sink(str(out), source.info, SinkSettings(threads=1))
            with sink:
                for frame in source:
                    sink.write(frame)

    yield read


KINDS = {
    suffix: Kind(
        seeds=partial(_seeds, suffix),
        reading=partial(_reading, suffix),
        refusals=(StreamError, EngineError),
        words=[b"IHDR", b"IDAT", b"eXIf", b"iTXt", b"VP8X", b"EXIF", b"\xff\xe1", b"\xff\xc0"],
    )
    for suffix in ("png", "jpg", "webp", "tiff", "bmp")
}
