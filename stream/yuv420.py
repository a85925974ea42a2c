"""BGR from and to 8-bit YUV 4:2:0 with any color matrix, rounded to the nearest.

Chroma is the mean of 2x2 pixels one way and repeated the other way, so that a picture that
was decoded, left alone and encoded again does not change. OpenCV knows only BT.601;
FFmpeg's swscale is either darker by half a level to 1.5 levels, or exact and two to three
times slower (`python -m benchmarks yuv420`).
Equations: ITU-R BT.601, BT.709, BT.2020.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.face import Image

_BGR_BITS = 14
_YUV_BITS = 16
_BAND = 32  # rows at a time, even: what lies between two steps stays in the cache


Planes: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""Y (H, at least W), U and V (half of both, rounded up); uint8, C-contiguous."""


class FramePlane(Protocol):
    """FFmpeg's own memory for one plane, also readable as a buffer."""

    @property
    def height(self) -> int:
        """Rows."""

    @property
    def line_size(self) -> int:
        """Bytes from row to row."""


class Luma(NamedTuple):
    """Weights of red and blue in luma; green has the rest."""

    red: float
    blue: float


BT601 = Luma(0.299, 0.114)
BT709 = Luma(0.2126, 0.0722)
BT2020 = Luma(0.2627, 0.0593)


def views(planes: Iterable[FramePlane]) -> Planes:
    """Arrays over the memory of a yuv420p frame; valid as long as the frame lives."""
    y, u, v = map(_view, planes)
    return y, u, v


def split(planes: Iterable[FramePlane]) -> Planes:
    """Arrays of an nv12 frame, as hardware decodes it: Y as in `views`, copies of U and V."""
    y, uv = map(_view, planes)
    u, v = cv2.split(uv[:, : uv.shape[1] // 2 * 2].reshape(len(uv), -1, 2))
    return y, np.asarray(u, np.uint8), np.asarray(v, np.uint8)


def to_bgr(
    planes: Planes,
    size: tuple[int, int],
    luma: Luma,
    *,
    full_range: bool,
) -> Image:
    """Converts the planes of a decoded picture.

    Args:
        planes: of the picture; not changed.
        size: width and height in pixels, odd ones too.
        luma: the color matrix.
        full_range: values span 0 to 255 instead of 16 to 235 and 16 to 240.

    Returns:
        (H, W, 3) uint8 BGR, new.
    """
    width, height = size
    factors = _bgr_factors(luma, full_range=full_range)
    image = np.empty((height, width, 3), np.uint8)
    blue, green, red = np.empty((3, _BAND, width), np.uint8)
    y, u, v = planes
    for top in range(0, height, _BAND):
        rows = min(_BAND, height - top)
        half = slice(top // 2, (top + rows + 1) // 2)
        band = (blue[:rows], green[:rows], red[:rows])
        _to_planes(y[top : top + rows], u[half], v[half], factors, *band)
        cv2.merge(band, image[top : top + rows])
    return image


def from_bgr(image: Image, luma: Luma, planes: Planes) -> None:
    """Converts a picture into the planes of a limited-range frame.

    Args:
        image: (H, W, 3) uint8 BGR, H and W even; not changed.
        luma: the color matrix.
        planes: written, as `to_bgr` reads them.
    """
    height, width = image.shape[:2]
    factors = _yuv_factors(luma)
    # One byte more per plane: OpenCV writes planes of equal alignment past the cache, and
    # reading them back takes twice as long as all the rest.
    scratch = np.empty((3, _BAND * width + 1), np.uint8)
    blue, green, red = (plane[:-1].reshape(_BAND, width) for plane in scratch)
    y, u, v = planes
    for top in range(0, height, _BAND):
        rows = min(_BAND, height - top)
        half = slice(top // 2, (top + rows) // 2)
        band = (blue[:rows], green[:rows], red[:rows])
        cv2.split(image[top : top + rows], band)
        _from_planes(*band, factors, y[top : top + rows], u[half], v[half])


def _view(plane: FramePlane) -> NDArray[np.uint8]:
    data = memoryview(cast("bytes", plane))
    rows, width = plane.height, plane.line_size
    return np.frombuffer(data, np.uint8, rows * width).reshape(rows, width)


def _bgr_factors(luma: Luma, *, full_range: bool) -> NDArray[np.int32]:
    green = 1 - luma.red - luma.blue
    y, c = (1.0, 1.0) if full_range else (255 / 219, 255 / 224)
    to_blue, to_red = 2 * (1 - luma.blue), 2 * (1 - luma.red)
    factors = (
        y,
        c * to_blue,
        -c * to_blue * luma.blue / green,
        -c * to_red * luma.red / green,
        c * to_red,
    )
    black = 0 if full_range else 16
    scaled = np.rint(np.array(factors) * (1 << _BGR_BITS))
    return np.append(scaled, black).astype(np.int32)


def _yuv_factors(luma: Luma) -> NDArray[np.int32]:
    y = np.array([luma.blue, 1 - luma.red - luma.blue, luma.red])
    u = (np.array([1, 0, 0]) - y) / (2 * (1 - luma.blue))
    v = (np.array([0, 0, 1]) - y) / (2 * (1 - luma.red))
    scaled = np.stack([y * 219, u * 224, v * 224]) / 255
    return np.rint(scaled * (1 << _YUV_BITS)).astype(np.int32)


@compiled
def _to_planes(  # noqa: PLR0913, PLR0917 - separate arrays let the compiler vectorize
    y: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    factors: NDArray[np.int32],
    blue: NDArray[np.uint8],
    green: NDArray[np.uint8],
    red: NDArray[np.uint8],
) -> None:
    height, width = blue.shape
    half = (width + 1) // 2
    for_blue = np.empty(2 * half, np.int32)
    for_green = np.empty(2 * half, np.int32)
    for_red = np.empty(2 * half, np.int32)
    rounding = 1 << (_BGR_BITS - 1)
    for row in range(height):
        if row % 2 == 0:
            for column in range(half):
                cb = np.int32(u[row // 2, column]) - np.int32(128)
                cr = np.int32(v[row // 2, column]) - np.int32(128)
                left, right = 2 * column, 2 * column + 1
                for_blue[left] = for_blue[right] = factors[1] * cb
                for_green[left] = for_green[right] = factors[2] * cb + factors[3] * cr
                for_red[left] = for_red[right] = factors[4] * cr
        for column in range(width):
            light = factors[0] * (np.int32(y[row, column]) - factors[5]) + rounding
            blue[row, column] = min(max((light + for_blue[column]) >> _BGR_BITS, 0), 255)
            green[row, column] = min(max((light + for_green[column]) >> _BGR_BITS, 0), 255)
            red[row, column] = min(max((light + for_red[column]) >> _BGR_BITS, 0), 255)


@compiled
def _from_planes(  # noqa: PLR0913, PLR0917 - separate arrays let the compiler vectorize
    blue: NDArray[np.uint8],
    green: NDArray[np.uint8],
    red: NDArray[np.uint8],
    factors: NDArray[np.int32],
    luma: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
) -> None:
    height, width = blue.shape
    blues = np.empty(width, np.int32)
    greens = np.empty(width, np.int32)
    reds = np.empty(width, np.int32)
    black = np.int32((16 << _YUV_BITS) + (1 << (_YUV_BITS - 1)))
    gray = np.int32((128 << (_YUV_BITS + 2)) + (1 << (_YUV_BITS + 1)))  # for sums of four
    for pair in range(height // 2):
        for row in range(2 * pair, 2 * pair + 2):
            for column in range(width):
                b = np.int32(blue[row, column])
                g = np.int32(green[row, column])
                r = np.int32(red[row, column])
                light = factors[0, 0] * b + factors[0, 1] * g + factors[0, 2] * r
                luma[row, column] = (light + black) >> _YUV_BITS
        upper, lower = 2 * pair, 2 * pair + 1
        for column in range(width):
            blues[column] = np.int32(blue[upper, column]) + np.int32(blue[lower, column])
            greens[column] = np.int32(green[upper, column]) + np.int32(green[lower, column])
            reds[column] = np.int32(red[upper, column]) + np.int32(red[lower, column])
        for column in range(width // 2):
            left, right = 2 * column, 2 * column + 1
            b = blues[left] + blues[right]
            g = greens[left] + greens[right]
            r = reds[left] + reds[right]
            cb = factors[1, 0] * b + factors[1, 1] * g + factors[1, 2] * r
            cr = factors[2, 0] * b + factors[2, 1] * g + factors[2, 2] * r
            u[pair, column] = (cb + gray) >> (_YUV_BITS + 2)
            v[pair, column] = (cr + gray) >> (_YUV_BITS + 2)
