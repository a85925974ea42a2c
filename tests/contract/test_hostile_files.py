"""Files that were made to hurt: what can be used is used, the rest is refused in one line."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import pytest

from stream.sources import SourceError, SourceSettings, open_source
from tests import barcode
from tests.contract.media import write_video
from tests.contract.pictures_as_video import png_chunk


def _huge_png(width: int, height: int) -> bytes:
    """A few hundred bytes that announce a gray picture of this size."""
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    parts = ((b"IHDR", size), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, content) for kind, content in parts)


def test_sound_of_an_unknown_codec_is_left_out(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", sound_s=0.5)
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"free"))
    with open_source(str(path), SourceSettings()) as source:
        assert source.info.audio is None
        numbers = barcode.numbered(list(source))
    assert numbers == list(range(40))


@pytest.mark.parametrize(("width", "height"), [(8193, 8192), (60_000, 60_000)])
def test_a_picture_too_large_is_refused_undecoded(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_huge_png(width, height))
    with (
        pytest.raises(SourceError, match=r"bomb\.png: .*8192x8192 pixels"),
        open_source(str(path), SourceSettings()),
    ):
        pass


def test_a_video_too_large_is_refused_undecoded(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "bomb.mkv",
        [0],
        pictures=[barcode.picture(0, 96, 64)],
        codec="mjpeg",
        pix_fmt="yuvj420p",
    )
    # The picture's own header says more than the container's.
    small, huge = struct.pack(">BHH", 8, 64, 96), struct.pack(">BHH", 8, 30_000, 30_000)
    data = path.read_bytes()
    assert small in data
    path.write_bytes(data.replace(small, huge))
    with (
        pytest.raises(SourceError, match=r"bomb\.mkv: no picture could be decoded"),
        open_source(str(path), SourceSettings()),
    ):
        pass


def test_a_video_that_announces_too_much_is_refused(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "bomb.avi",
        [0],
        time_base=Fraction(1, 25),
        pictures=[barcode.picture(0, 96, 64)],
        codec="rawvideo",
        pix_fmt="yuv420p",
    )
    small, huge = struct.pack("<II", 96, 64), struct.pack("<II", 16_000, 16_000)
    path.write_bytes(path.read_bytes().replace(small, huge))
    with (
        pytest.raises(SourceError, match=r"bomb\.avi: 16000x16000; .*8192x8192 pixels"),
        open_source(str(path), SourceSettings()),
    ):
        pass


def test_a_table_that_announces_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "bomb.mp4", sound_s=0.5)
    data = bytearray(path.read_bytes())
    sizes = data.index(b"stsz")
    struct.pack_into(">II", data, sizes + 8, 1, 1 << 31)
    path.write_bytes(data)
    with (
        pytest.raises(SourceError, match=r"bomb\.mp4: announces \d+ samples"),
        open_source(str(path), SourceSettings()),
    ):
        pass
