"""Bring a crop back to its place in the frame, and mix it with what is there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import align
from engine.compiled import compiled
from engine.detail import NOISE
from engine.face import Image, Mask, Matrix

Float = NDArray[np.float32]

MAX_UPSCALED = 1024
"""Side in pixels up to which a crop is enlarged smoothly; beyond, bilinear does the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A face in frame pixels.

    Attributes:
        image: (h, w, 3) float32 BGR, 0..255 apart from a little overshoot.
        alpha: (h, w) float32, 0 (keep the frame) to 1.
        left, top: where the patch lies; it never reaches over the frame's border.
    """

    image: Float
    alpha: Mask
    left: int
    top: int

    def region(self, image: Image) -> Image:
        """The view of a frame that the patch covers."""
        height, width = self.alpha.shape
        return image[self.top : self.top + height, self.left : self.left + width]


def place(crop: Float, mask: Mask, frame_to_crop: Matrix, shape: tuple[int, ...]) -> Patch | None:
    """Warp a crop and its mask into the frame's pixels, only where the mask is not empty.

    The crop is brought to its final scale by a smooth filter (cubic when it grows, area
    average when it shrinks), so that the warp has only to turn and shift it.

    Args:
        crop: (S, S, 3) float32 BGR.
        mask: (S, S) float32 0..1.
        frame_to_crop: (2, 3) map from frame pixels to crop pixels.
        shape: height and width of the frame, then anything.

    Returns:
        The patch, or None if nothing of it lies in the frame or the map is degenerate.
    """
    size = crop.shape[0]
    if not np.isfinite(frame_to_crop).all():
        return None
    shrink = math.sqrt(abs(float(np.linalg.det(frame_to_crop[:, :2]))))
    if not 1e-6 < shrink < size:
        return None
    box = _region(mask, align.invert(frame_to_crop), shape)
    if box is None:
        return None
    left, top, right, bottom = box
    size_in_frame = min(max(round(size / shrink), 2), MAX_UPSCALED)
    how = cv2.INTER_CUBIC if size_in_frame > size else cv2.INTER_AREA
    scaled = cv2.resize(crop, (size_in_frame, size_in_frame), interpolation=how)
    to_patch = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window = (right - left, bottom - top)
    image = cv2.warpAffine(
        scaled,
        align.rescale(frame_to_crop, size, size_in_frame) @ to_patch,
        window,
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    alpha = cv2.warpAffine(mask, frame_to_crop @ to_patch, window, flags=flags)
    return Patch(np.asarray(image, np.float32), np.asarray(alpha, np.float32), left, top)


def _region(
    mask: Mask, crop_to_frame: Matrix, shape: tuple[int, ...]
) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom (exclusive) in the frame of what a mask covers."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not columns.size:
        return None
    x0, x1 = columns[0] - 1.0, columns[-1] + 1.0
    y0, y1 = rows[0] - 1.0, rows[-1] + 1.0
    corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]])
    in_frame = align.apply(crop_to_frame, corners)
    height, width = shape[:2]
    low = np.clip(np.floor(in_frame.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(in_frame.max(axis=0)) + 1, 0, (width, height)).astype(int)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


@compiled
def _mix(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    region: Image, image: Float, alpha: Mask, noise: Float, grain: float, at: tuple[int, int]
) -> None:
    strength = np.float32(grain)
    x0, y0 = at
    for y in range(region.shape[0]):
        for x in range(region.shape[1]):
            a = alpha[y, x]
            if a <= 0:
                continue
            speckle = strength * noise[(y + y0) & 255, (x + x0) & 255] + np.float32(0.5)
            keep = np.float32(1) - a
            for c in range(3):
                mixed = keep * region[y, x, c] + a * image[y, x, c]
                mixed += a * speckle + keep * np.float32(0.5)
                region[y, x, c] = np.uint8(min(max(mixed, np.float32(0)), np.float32(255)))


def composite(image: Image, patch: Patch, grain: float = 0.0, seed: int = 0) -> None:
    """Mix a patch into a frame, in place.

    Args:
        image: (H, W, 3) uint8 BGR, changed only where the patch's alpha is above 0.
        patch: from `place`, for a frame of this size.
        grain: standard deviation of the noise added to the patch, in gray levels.
        seed: the same number gives the same noise.
    """
    at = ((seed * 97) & 255, (seed * 193) & 255)
    _mix(patch.region(image), patch.image, patch.alpha, NOISE, grain, at)


def warm_up() -> None:
    """Compile or load the loop now, so that the first frame does not pay for it."""
    image = np.zeros((2, 2, 3), np.uint8)
    for frame in (image, image[:, :1]):  # A region is a view, the whole frame is not.
        height, width = frame.shape[:2]
        alpha = np.ones((height, width), np.float32)
        composite(frame, Patch(np.zeros((height, width, 3), np.float32), alpha, 0, 0))
