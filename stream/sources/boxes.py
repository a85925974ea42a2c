"""MP4 and MOV files, judged by their boxes before FFmpeg builds an index of what they announce.

A table of samples of one size takes twenty bytes, however many it announces, and FFmpeg takes
memory for each of them: three kilobytes can ask for a hundred gigabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stream.errors import SourceError

_HOLD_OTHERS = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"udta", b"edts")
)
_DEEPEST = 8
_MOST_BOXES = 1_000_000  # A day in fragments of two seconds has half as many.


class _Box(NamedTuple):
    kind: bytes
    begin: int
    end: int


def check_samples(path: Path) -> None:
    """Refuse a file that announces more samples than it has bytes.

    Source of the layout: ISO/IEC 14496-12, 8.7.3 (`stsz`) and 8.8.8 (`trun`).

    Args:
        path: any file; one of another kind passes.

    Raises:
        SourceError: it does, or it cannot be read.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            samples = sum(_announced(file, box) for box in _boxes(file, size))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    if samples > size:
        raise SourceError(
            f"{path}: announces {samples} samples in {size} bytes; the file is damaged, or made to "
            "fill all memory"
        )


def _boxes(file: BinaryIO, size: int) -> Iterator[_Box]:
    """All boxes down to the tables; what a broken size hides is not looked for."""
    levels = [(0, size)]
    for _ in range(_MOST_BOXES):
        while levels and levels[-1][0] + 8 > levels[-1][1]:
            levels.pop()
        if not levels:
            return
        begin, limit = levels.pop()
        box = _box(file, begin, limit)
        if box is None:
            continue
        levels.append((box.end, limit))
        if box.kind in _HOLD_OTHERS and len(levels) < _DEEPEST:
            levels.append((box.begin, box.end))
        else:
            yield box


def _box(file: BinaryIO, begin: int, limit: int) -> _Box | None:
    file.seek(begin)
    head = file.read(16)
    if len(head) < 8:
        return None
    size, kind = struct.unpack_from(">I4s", head)
    content = begin + 8
    if size == 1 and len(head) == 16:
        (size,) = struct.unpack_from(">Q", head, 8)
        content += 8
    end = limit if size == 0 else begin + size
    return None if end < content else _Box(kind, content, min(end, limit))


def _announced(file: BinaryIO, box: _Box) -> int:
    """Bytes that samples of one size must have, or samples that no table lists."""
    if box.kind not in {b"stsz", b"trun"}:
        return 0
    file.seek(box.begin)
    head = file.read(12)
    if box.kind == b"trun":
        return struct.unpack_from(">I", head, 4)[0] if len(head) >= 8 else 0
    if len(head) < 12:
        return 0
    each, count = struct.unpack_from(">II", head, 4)
    return int(each * count)
