"""Pictures that carry their own number, readable after lossy encoding."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from stream.frame import Frame, SourceInfo
from stream.timebase import to_ns

WIDTH, HEIGHT = 96, 64
_NUMBER_BITS = 12
_CHECK_BITS = 4
_BITS = _NUMBER_BITS + _CHECK_BITS


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A colored ramp that moves with the number, under a bar code of it.

    Args:
        number: 0 to 4095.
        width: at least 64 pixels, so that a bar survives chroma subsampling.
        height: at least 16 pixels; the code takes the upper half.
    """
    rows, columns = np.mgrid[:height, :width]
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = 40 + 160 * columns // width
    image[..., 1] = 40 + 160 * rows // height
    image[..., 2] = 40 + (columns + 3 * number) % 128
    image[: height // 2] = (255 * _bars(number)[_bar_of(columns[0])])[:, None]
    return image


def read(image: Image) -> int:
    """The number that was painted into a picture.

    Raises:
        ValueError: the picture carries no valid code.
    """
    height, width = image.shape[:2]
    strip = image[height // 8 : 3 * height // 8].mean(axis=(0, 2))
    bar_of = _bar_of(np.arange(width))
    bars = np.array([np.median(strip[bar_of == bar]) > 128 for bar in range(_BITS)])
    number = int(bars[:_NUMBER_BITS] @ (1 << np.arange(_NUMBER_BITS)))
    if not np.array_equal(bars, _bars(number)):
        raise ValueError(f"no valid bar code, read {bars.astype(int)}")
    return number


def _bar_of(columns: NDArray[np.int64]) -> NDArray[np.int64]:
    return columns * _BITS // len(columns)


def _bars(number: int) -> NDArray[np.bool_]:
    check = (number * 11 + number // 16 * 5 + 6) % (1 << _CHECK_BITS)
    word = number | check << _NUMBER_BITS
    return (word >> np.arange(_BITS) & 1).astype(bool)


class BarcodeSource:
    """A source of bar codes that needs no file."""

    def __init__(
        self,
        ticks: Sequence[int],
        time_base: Fraction = Fraction(1, 90_000),
        *,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        live: bool = False,
    ) -> None:
        """Makes one frame for each tick; frame `k` carries number `k`."""
        self._ticks = ticks
        self._size = size
        self.info = SourceInfo(
            url="barcode:",
            width=size[0],
            height=size[1],
            time_base=time_base,
            frames=len(ticks),
            origin_ns=to_ns(ticks[0], time_base),
            live=live,
        )
        self.is_open = False

    def __enter__(self) -> Self:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def stop(self) -> None:
        """It waits for nothing."""

    def __iter__(self) -> Iterator[Frame]:
        for seq, tick in enumerate(self._ticks):
            pts_ns = to_ns(tick - self._ticks[0], self.info.time_base)
            yield Frame(picture(seq, *self._size), pts_ns, seq, time.monotonic_ns())


def numbered(frames: Sequence[Frame]) -> list[int]:
    """The numbers read back from frames, or from their pictures' results."""
    return [read(frame.image) for frame in frames]


def recolored(frame: Frame) -> Frame:
    """A stand-in for a swap: the lower half inverted, the original kept."""
    image = frame.image.copy()
    image[len(image) // 2 :] = 255 - image[len(image) // 2 :]
    return replace(frame, image=image, original=frame.image)
