"""Decoded video frame to upright BGR."""

from __future__ import annotations

from typing import cast

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from engine.face import Image
from stream import yuv420
from stream.sources.display_matrix import display_matrix

_EXACT = (
    # Without these swscale darkens everything by 1 to 1.5 levels.
    Interpolation.BILINEAR
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
_PLANAR = frozenset({"yuv420p", "yuvj420p"})
_FULL_RANGE = 2
_UNTAGGED = 2
_LUMA = {1: yuv420.BT709, 5: yuv420.BT601, 6: yuv420.BT601, 9: yuv420.BT2020}
_HD_LINES = 720


def to_bgr(frame: av.VideoFrame) -> Image:
    """Converts any pixel format by its own color tags and turns the picture upright.

    Without a color tag BT.709 is assumed from 720 lines on and BT.601 below, as players do.

    Args:
        frame: decoded, any bit depth, range and layout; not changed.

    Returns:
        (H, W, 3) uint8 BGR, contiguous, owned by the caller.
    """
    matrix = frame.colorspace
    if matrix == _UNTAGGED:
        hd = min(frame.width, frame.height) >= _HD_LINES
        matrix = Colorspace.ITU709 if hd else Colorspace.ITU601
    name = frame.format.name
    if (name in _PLANAR or name == "nv12") and matrix in _LUMA:
        full_range = name == "yuvj420p" or frame.color_range == _FULL_RANGE
        size = (frame.width, frame.height)
        planes = (yuv420.views if name in _PLANAR else yuv420.split)(frame.planes)
        image = yuv420.to_bgr(planes, size, _LUMA[matrix], full_range=full_range)
    else:
        image = _by_swscale(frame, matrix)
    turn = display_matrix(frame)
    return image if turn is None else upright(image, turn)


def _by_swscale(frame: av.VideoFrame, matrix: int) -> Image:
    image = frame.to_ndarray(
        format="bgr24",
        src_colorspace=None if frame.format.is_rgb else matrix,
        interpolation=_EXACT,
        threads=1,
    )
    return cast("Image", image)


def lies_on_its_side(frame: av.VideoFrame) -> bool:
    """Whether `to_bgr` swaps the frame's width and height."""
    turn = display_matrix(frame)
    return turn is not None and _transposes(turn)


def upright(image: Image, matrix: NDArray[np.int32]) -> Image:
    """Applies the quarter turns and mirrorings of a display matrix.

    A matrix (a b; c d) shows pixel x, y at x' = a x + c y and y' = b x + d y. Angles in
    between are rounded to the nearest quarter turn.

    Args:
        image: (H, W, 3) uint8; not changed.
        matrix: (2, 2) int32 in any scale.

    Returns:
        The picture as it is meant to be seen; `image` itself when nothing is to be done.
    """
    (a, b), (c, d) = matrix.tolist()
    if _transposes(matrix):
        image = cast("Image", cv2.transpose(image))
        a, d = c, b
    if a < 0 and d < 0:
        return cast("Image", cv2.flip(image, -1))
    if a < 0:
        return cast("Image", cv2.flip(image, 1))
    if d < 0:
        return cast("Image", cv2.flip(image, 0))
    return image


def _transposes(matrix: NDArray[np.int32]) -> bool:
    (a, b), (c, d) = matrix.tolist()
    return bool(abs(b) + abs(c) > abs(a) + abs(d))
