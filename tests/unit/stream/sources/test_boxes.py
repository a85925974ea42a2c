from __future__ import annotations

import struct
from pathlib import Path

import pytest

from stream.errors import SourceError
from stream.sources.boxes import check_samples


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def table(each: int, count: int) -> bytes:
    sizes = box(b"stsz", struct.pack(">III", 0, each, count))
    return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", sizes)))))


def run(count: int) -> bytes:
    return box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0, count))))


HEAD = box(b"ftyp", b"isom")
DATA = box(b"mdat", bytes(1000))
WIDE = struct.pack(">I4sQ", 1, b"mdat", 1016) + bytes(1000)


@pytest.mark.parametrize(
    "content",
    [
        HEAD + DATA + table(4, 250),
        HEAD + table(0, 1 << 31) + DATA,  # a table follows, which the file has to hold
        HEAD + WIDE + run(100) + run(100),
        b"",
        b"RIFF" + bytes(100),
        HEAD + struct.pack(">I4s", 3, b"moov"),
        HEAD + struct.pack(">I4s", 0, b"mdat") + bytes(100),
    ],
)
def test_what_can_be_passes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    check_samples(path)


@pytest.mark.parametrize(
    "content",
    [
        HEAD + DATA + table(1, 1 << 31),
        HEAD + DATA + table(0xFFFFFFFF, 0xFFFFFFFF),
        HEAD + WIDE + table(1, 1 << 31),
        HEAD + run(0xFFFFFFFF) + DATA,
        HEAD + DATA + b"".join(run(900) for _ in range(30)),
        table(1, 1 << 31)[:-8] + struct.pack(">II", 1, 1 << 31) + DATA,
    ],
)
def test_more_samples_than_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.mp4: announces \d+ samples in \d+ bytes"):
        check_samples(path)
