"""BGR pictures to tagged YUV frames for an encoder."""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from engine.face import Image
from stream import yuv420
from stream.yuv420 import Luma

_HD_LINES = 720


@dataclass(frozen=True, slots=True)
class ColorTags:
    """Numbers of ISO/IEC 23091-2 that tell players how to read the YUV values."""

    matrix: int
    primaries: int
    transfer: int
    luma: Luma


BT709 = ColorTags(matrix=1, primaries=1, transfer=1, luma=yuv420.BT709)
"""High definition."""

BT601 = ColorTags(matrix=6, primaries=6, transfer=6, luma=yuv420.BT601)
"""Standard definition: what players assume of small pictures whose tags they do not read."""

LIMITED = ColorRange.MPEG
"""Luma 16 to 235, as every player expects of H.264."""


def color_tags(width: int, height: int) -> ColorTags:
    """BT.709 from 720 lines on, BT.601 below."""
    return BT709 if min(width, height) >= _HD_LINES else BT601


def to_yuv(image: Image, width: int, height: int, tags: ColorTags) -> av.VideoFrame:
    """Fits a picture into even dimensions and converts it to yuv420p.

    A picture of the wanted size is only padded by repeating its edge. One of another size
    is scaled with its aspect kept and centered on black.

    Args:
        image: (H, W, 3) uint8 BGR; not changed, and free again after the call.
        width: wanted, in pixels; the frame is one wider if this is odd.
        height: wanted, in pixels; the frame is one higher if this is odd.
        tags: the conversion to use and to write down.
    """
    if image.shape[:2] != (height, width):
        image = letterbox(image, width, height)
    if width % 2 or height % 2:
        image = _padded(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    frame = av.VideoFrame(image.shape[1], image.shape[0], "yuv420p")
    yuv420.from_bgr(image, tags.luma, yuv420.views(frame.planes))
    frame.colorspace = tags.matrix
    frame.color_primaries = tags.primaries
    frame.color_trc = tags.transfer
    frame.color_range = LIMITED
    return frame


def letterbox(image: Image, width: int, height: int) -> Image:
    """Scales a picture into a frame without changing its aspect, black around it."""
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    shrinks = scale < 1
    small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    right, bottom = width - inner[0] - left, height - inner[1] - top
    return _padded(np.asarray(small, np.uint8), top, bottom, left, right, cv2.BORDER_CONSTANT)


def _padded(  # noqa: PLR0913, PLR0917 - OpenCV's order
    image: Image, top: int, bottom: int, left: int, right: int, border: int
) -> Image:
    padded = cv2.copyMakeBorder(image, top, bottom, left, right, border)
    return np.asarray(padded, np.uint8)
