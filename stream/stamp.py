"""A time stamp in the picture: when it was captured, as a bar code that survives video codecs.

The format, for readers in any language. Lengths are shares of the picture as it is received,
so the stamp stays readable when somebody scales the picture.

- The stamp fills the top left corner: 1/4 of the width, 1/9 of the height. It is a grid of 16
  columns and 4 rows; so a cell is `width / 64` wide and `height / 36` high, not rounded. A
  pixel belongs to the cell that its center lies in. Cells are gray: 16 (dark) or 235 (bright).
- Columns 0 and 15 are the *rails*, which tell a reader what dark and bright look like now: in
  rows 0 and 2 column 0 is bright and column 15 dark, in rows 1 and 3 the other way around.
- Columns 1 to 14 carry 14 bits a row, row after row, bright for 1: 56 bits, the most
  significant first. The upper 32 are the time, the lower 24 its check.
- The time is the monotonic clock of the machine that captured the picture, in whole
  milliseconds (rounded down), modulo 2**32. The check is the lower 24 bits of the CRC-32
  (IEEE 802.3, that of zlib and PNG) of the time's four bytes, most significant first.

To read, take for cell (column c, row r) the mean of the pixels, and of their red, green and
blue, in its middle half:

- columns `floor(W / 64 * (c + 0.25) + 0.5)` to `floor(W / 64 * (c + 0.75) + 0.5)` (excluded;
  at least one column is taken), and rows likewise with `H / 36`.
- `bright` is the mean of the four bright rails and `dark` of the others; no stamp when
  `bright - dark < 48`.
- `level = (cell - dark) / (bright - dark)`: 1 above 0.6, 0 below 0.4, no stamp in between. The
  rails must read as what they are.
- no stamp when the check differs.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.face import Image

MIN_WIDTH, MIN_HEIGHT = 320, 180
"""Of the picture that is painted on: smaller cells do not survive an encoder."""

PERIOD_MS = 1 << 32
"""Stamps begin anew after this time, which is 49 days."""

_ACROSS, _DOWN = 64, 36  # cells that would fill the picture
_COLUMNS, _ROWS = 16, 4
_CHECK_BITS = 24
_BITS = 32 + _CHECK_BITS
_DARK, _BRIGHT = 16, 235  # video black and white: a wrong range does not clip them
_MIN_CONTRAST = 48
_CLEARLY_DARK, _CLEARLY_BRIGHT = 0.4, 0.6
_RAILS = np.array([[1, 0], [0, 1]] * (_ROWS // 2), bool)  # (row, left or right)
_WEIGHTS = 1 << np.arange(_BITS - 1, -1, -1, dtype=np.int64)

_Edges: TypeAlias = NDArray[np.int64]


def paint(image: Image, captured_ns: int) -> None:
    """Paint a time into the top left corner, in place.

    Args:
        image: (H, W, 3) uint8; a picture below `MIN_WIDTH` x `MIN_HEIGHT` is painted as well,
            but what an encoder leaves of it may be unreadable.
        captured_ns: monotonic time in nanoseconds.
    """
    height, width = image.shape[:2]
    levels = np.where(_cells(captured_ns // 1_000_000 % PERIOD_MS), _BRIGHT, _DARK)
    cell_of, rows = _layout(width, height)
    for row, (top, bottom) in enumerate(pairwise(rows)):
        line = np.repeat(levels[row][cell_of].astype(np.uint8), 3).reshape(-1, 3)
        image[top:bottom, : len(cell_of)] = line


def read(image: Image) -> int | None:
    """Read the time that `paint` left in a picture, whatever came after it.

    Args:
        image: (H, W, 3) uint8 of any size; not changed.

    Returns:
        Milliseconds, 0 to `PERIOD_MS` - 1, or None without a stamp that is beyond doubt.
    """
    height, width = image.shape[:2]
    if width < _ACROSS or height < _DOWN:
        return None
    columns, rows = _middles(_COLUMNS, width / _ACROSS), _middles(_ROWS, height / _DOWN)
    corner = image[: rows[-1] + 1, : columns[-1] + 1]
    # Every other sum is one between two middles. Rows first: that runs along the memory.
    lines = np.add.reduceat(corner, rows, axis=0, dtype=np.uint32)[::2]
    sums = np.add.reduceat(lines, columns, axis=1)[:, ::2].sum(axis=2)
    cells = sums / (3 * np.outer(np.diff(rows)[::2], np.diff(columns)[::2]))
    rails = cells[:, [0, -1]]
    dark, bright = rails[~_RAILS].mean(), rails[_RAILS].mean()
    if bright - dark < _MIN_CONTRAST:
        return None
    levels = (cells - dark) / (bright - dark)
    bits = levels > _CLEARLY_BRIGHT
    if not np.array_equal(bits, levels >= _CLEARLY_DARK):
        return None
    if not np.array_equal(bits[:, [0, -1]], _RAILS):
        return None
    time_ms, check = divmod(int(bits[:, 1:-1].ravel() @ _WEIGHTS), 1 << _CHECK_BITS)
    return time_ms if check == _check(time_ms) else None


def age_ns(stamp_ms: int, now_ns: int) -> int:
    """Nanoseconds from a stamp until a monotonic time of the same clock.

    Up to 1 ms too long, because stamps are rounded down. Right across the wrap of stamps; a
    stamp from the future has a negative age.
    """
    period_ns = PERIOD_MS * 1_000_000
    age = (now_ns - stamp_ms * 1_000_000) % period_ns
    return age - period_ns if age >= period_ns // 2 else age


def _cells(time_ms: int) -> NDArray[np.bool_]:
    """Bright cells as (rows, columns)."""
    cells = np.empty((_ROWS, _COLUMNS), bool)
    cells[:, [0, -1]] = _RAILS
    word = time_ms << _CHECK_BITS | _check(time_ms)
    cells[:, 1:-1] = (word & _WEIGHTS).astype(bool).reshape(_ROWS, -1)
    return cells


def _check(time_ms: int) -> int:
    return zlib.crc32(time_ms.to_bytes(4, "big")) % (1 << _CHECK_BITS)


@lru_cache(maxsize=8)
def _layout(width: int, height: int) -> tuple[_Edges, list[int]]:
    """The cell of each column of the corner; the edges of the rows of cells."""
    cell_of = (2 * np.arange(width) + 1) * _ACROSS // (2 * width)
    row_of = (2 * np.arange(height) + 1) * _DOWN // (2 * height)
    rows = np.searchsorted(row_of, np.arange(_ROWS + 1))
    return cell_of[cell_of < _COLUMNS], [int(row) for row in rows]


@lru_cache(maxsize=16)
def _middles(count: int, cell: float) -> _Edges:
    """Begin and end of the middle half of each of the first `count` cells, in turn."""
    begins = np.floor(cell * (np.arange(count) + 0.25) + 0.5).astype(np.int64)
    ends = np.floor(cell * (np.arange(count) + 0.75) + 0.5).astype(np.int64)
    return np.ravel(np.column_stack([begins, np.maximum(ends, begins + 1)]))
