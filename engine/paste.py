"""Bring a crop back to its place in the frame, and mix it with what is there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import align
from engine.compiled import compiled
from engine.detail import NOISE
from engine.face import Image, Mask, Matrix

Float = NDArray[np.float32]
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom (exclusive), in pixels."""

MAX_UPSCALED = 1024
"""Side in pixels up to which a crop is enlarged smoothly; beyond, bilinear does the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A face in frame pixels.

    Attributes:
        pixels: (h, w, 4) float32: BGR, 0..255, and alpha, 0 (keep the frame) to 1, all apart
            from a little overshoot. Four numbers a pixel are warped twice as fast as three.
        left, top: where the patch lies; it never reaches over the frame's border.
    """

    pixels: Float
    left: int
    top: int

    @property
    def image(self) -> Float:
        """(h, w, 3) view of the colors."""
        return self.pixels[:, :, :3]

    @property
    def alpha(self) -> Mask:
        """(h, w) view of how much of the frame they replace."""
        return self.pixels[:, :, 3]

    def coverage(self, points: align.Points) -> float:
        """Mean alpha at some points of the frame, those outside of the patch count as 0.

        Args:
            points: (N, 2) in frame pixels.
        """
        x, y = np.rint(points - (self.left, self.top)).astype(int).T
        height, width = self.alpha.shape
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        return float(self.alpha[y[inside], x[inside]].sum()) / max(len(points), 1)

    def region(self, image: Image) -> Image:
        """The view of a frame that the patch covers."""
        height, width = self.pixels.shape[:2]
        return image[self.top : self.top + height, self.left : self.left + width]


def place(crop: Float, mask: Mask, frame_to_crop: Matrix, shape: tuple[int, ...]) -> Patch | None:
    """Warp a crop and its mask into the frame's pixels, only where the mask is not empty.

    The crop is brought to its final scale by a smooth filter (cubic when it grows, area
    average when it shrinks), so that the warp has only to turn and shift it. If crop and frame
    are of about one scale and the patch is small, one sharp warp does all of it, see
    `align.SHARP_SIDE`: what `align.crop` cut out comes back nearly as it was.

    Args:
        crop: (S, S, 3) float32 BGR, finite.
        mask: (T, T) float32 0..1 of any size; the outermost pixels count as 0, so that the
            crop's border never shows.
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
    if mask.shape[0] != size:
        mask = np.asarray(
            cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR), np.float32
        )
    used = _used(mask)
    if used is None:
        return None
    box = _region(used, align.invert(frame_to_crop), shape)
    if box is None:
        return None
    left, top, right, bottom = box
    sharp = (
        max(right - left, bottom - top) <= align.SHARP_SIDE
        and 1.0 / align.NEAR_SCALE <= shrink <= align.NEAR_SCALE
    )
    factor = 1.0 if sharp else min(1.0 / shrink, MAX_UPSCALED / size)
    if 1.0 <= factor < 1.0 / shrink:  # Else the face is small enough to be enlarged whole.
        used = _common(used, _region(box, frame_to_crop, crop.shape))
        if used is None:
            return None
    part, offset = _part(crop, mask, used)
    scaled, frame_to_scaled = _scaled(part, frame_to_crop + offset, factor)
    to_patch = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    pixels = _warped(scaled, frame_to_scaled @ to_patch, (right - left, bottom - top), sharp=sharp)
    return Patch(pixels, left, top)


def _used(mask: Mask) -> Box | None:
    """What a mask covers within its outermost pixels."""
    if min(mask.shape) < 3:
        return None
    covered = np.asarray(mask[1:-1, 1:-1] > 0.0, np.bool_)
    left, top, width, height = cv2.boundingRect(covered.view(np.uint8))
    return (left + 1, top + 1, left + 1 + width, top + 1 + height) if width else None


def _common(one: Box, other: Box | None) -> Box | None:
    if other is None:
        return None
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _part(crop: Float, mask: Mask, used: Box) -> tuple[Float, Matrix]:
    """The used part of a crop with its mask, and what to add to a map into the crop."""
    size, margin = crop.shape[0], 4  # so far reaches the widest interpolation
    left, top = max(used[0] - margin, 0), max(used[1] - margin, 0)
    right, bottom = min(used[2] + margin, size), min(used[3] + margin, size)
    inside = np.s_[top:bottom, left:right]
    part = np.empty((bottom - top, right - left, 4), np.float32)
    cv2.mixChannels([crop[inside], mask[inside]], [part], [0, 0, 1, 1, 2, 2, 3, 3])
    return part, np.array([[0.0, 0.0, -left], [0.0, 0.0, -top]])


def _scaled(part: Float, frame_to_part: Matrix, factor: float) -> tuple[Float, Matrix]:
    """A part of a crop enlarged by a factor, its border without mask, and the map to it."""
    height, width = part.shape[:2]
    if factor == 1.0:
        scaled, frame_to_scaled = part, frame_to_part
    else:
        columns, rows = (max(round(side * factor), 2) for side in (width, height))
        how = cv2.INTER_CUBIC if factor > 1.0 else cv2.INTER_AREA
        scaled = np.asarray(cv2.resize(part, (columns, rows), interpolation=how), np.float32)
        half = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.5]])
        ratio = np.array([[columns / width], [rows / height]])
        frame_to_scaled = (frame_to_part + half) * ratio - half
    # The warp repeats the outermost pixels: their colors, but no mask.
    scaled[0, :, 3] = scaled[-1, :, 3] = scaled[:, 0, 3] = scaled[:, -1, 3] = 0.0
    return scaled, frame_to_scaled


def _warped(scaled: Float, matrix: Matrix, size: tuple[int, int], *, sharp: bool) -> Float:
    """Sample colors and mask; a sharp kernel is for colors only, the mask would get ripples."""

    def warp(picture: Float, how: int) -> Float:
        flags = how | cv2.WARP_INVERSE_MAP
        pixels = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(pixels, np.float32)

    pixels = warp(scaled, cv2.INTER_LINEAR)
    if sharp:
        colors = warp(np.ascontiguousarray(scaled[:, :, :3]), cv2.INTER_LANCZOS4)
        cv2.mixChannels([colors], [pixels], [0, 0, 1, 1, 2, 2])
    return pixels


def _region(part: Box, matrix: Matrix, shape: tuple[int, ...]) -> Box | None:
    """Where a part of one picture lies in another one of this shape, with a pixel around it."""
    x0, x1 = part[0] - 1.0, float(part[2])
    y0, y1 = part[1] - 1.0, float(part[3])
    corners = align.apply(matrix, np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]]))
    height, width = shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, (width, height)).astype(int)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


@compiled
def _mix(
    region: Image, pixels: Float, noise: Float, grain: np.float32, at: tuple[int, int]
) -> None:
    half, one, white = np.float32(0.5), np.float32(1), np.float32(255)
    x0, y0 = at
    for y in range(region.shape[0]):
        for x in range(region.shape[1]):
            alpha = min(pixels[y, x, 3], one)
            if alpha <= 0:
                continue
            speckle = grain * noise[(y + y0) & 255, (x + x0) & 255]
            keep = one - alpha
            for c in range(3):
                mixed = keep * region[y, x, c] + alpha * (pixels[y, x, c] + speckle) + half
                region[y, x, c] = np.uint8(min(max(mixed, np.float32(0)), white))


def composite(image: Image, patch: Patch, grain: float = 0.0, seed: int = 0) -> None:
    """Mix a patch into a frame, in place.

    Args:
        image: (H, W, 3) uint8 BGR, changed only where the patch's alpha is above 0.
        patch: from `place`, for a frame of this size.
        grain: standard deviation of the noise added to the patch, in gray levels.
        seed: the same number gives the same noise.
    """
    at = ((seed * 97) & 255, (seed * 193) & 255)
    _mix(patch.region(image), patch.pixels, NOISE, np.float32(grain), at)


def warm_up() -> None:
    """Compile or load the loop now, so that the first frame does not pay for it."""
    image = np.zeros((2, 2, 3), np.uint8)
    for frame in (image, image[:, :1]):  # A region is a view, the whole frame is not.
        composite(frame, Patch(np.ones((*frame.shape[:2], 4), np.float32), 0, 0))
