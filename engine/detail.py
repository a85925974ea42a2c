"""Give the swapped face the sharpness and the grain of the picture around it.

A model's output is softer and cleaner than a camera's picture; side by side in one frame it
looks like wax. Both are measured on the frame's own face, so a sharp picture gets a sharp
face, a blurred one a blurred face, and a clean one no grain.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image, Landmarks, Mask

Float: TypeAlias = NDArray[np.float32]

MAX_SHARPEN = 1.2
MAX_SOFTEN = -0.6
MAX_GRAIN = 4.0
"""Standard deviation in gray levels."""

_BLUR_SIGMA = 1.3
_SMOOTH_SKIN = np.array([50, 280, 151], np.intp)  # both cheeks, forehead
_PATCH = 0.07  # half side of a skin patch as a fraction of the face's width

# J. Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996: the difference of two
# Laplacians, which does not answer to flat, sloped or evenly curved shading.
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NOISE_SCALE = math.sqrt(math.pi / 2.0) / 6.0


def _noise_tile() -> Float:
    """(256, 256) noise, slightly blurred as a camera's is, that measures as 1."""
    tile = np.random.default_rng(2003).standard_normal((256, 256)).astype(np.float32)
    # Padded by hand: this filter does not know OpenCV's BORDER_WRAP.
    padded = cv2.GaussianBlur(np.pad(tile, 1, mode="wrap"), (3, 3), 0.5)
    tile = np.asarray(padded[1:-1, 1:-1], np.float32)
    return np.ascontiguousarray(tile / np.float32(noise_level(tile)))


def noise_level(gray: Float) -> float:
    """Estimate the standard deviation of the noise in a (H, W) picture, H and W >= 3."""
    response = cv2.filter2D(gray, cv2.CV_32F, _NOISE_KERNEL)[1:-1, 1:-1]
    return float(np.abs(response).mean()) * _NOISE_SCALE


def sharpening(swap: Float, frame: Image, mask: Mask) -> float:
    """How much `sharpened` has to add for the swap to be as sharp as the frame.

    Args:
        swap: (S, S, 3) float32 BGR 0..255 crop, its colors matched.
        frame: (S, S, 3) uint8, the same crop of the frame.
        mask: (T, T) float32 0..1 of any size, where to compare.

    Returns:
        `MAX_SOFTEN` (blur) to `MAX_SHARPEN`; 0 if they are alike or the mask is empty.
    """
    if mask.shape != swap.shape[:2]:
        mask = np.asarray(cv2.resize(mask, swap.shape[:2]), np.float32)
    area = float(mask.sum())
    if area < 1.0:
        return 0.0
    wanted, present = (_fine_energy(c, mask) / area for c in (frame, swap))
    ratio = math.sqrt((wanted + 0.25) / (present + 0.25))
    return min(max(ratio - 1.0, MAX_SOFTEN), MAX_SHARPEN)


def _fine_energy(crop: Float | Image, mask: Mask) -> float:
    gray = cv2.cvtColor(crop.astype(np.float32), cv2.COLOR_BGR2GRAY)
    fine = gray - cv2.GaussianBlur(gray, (0, 0), _BLUR_SIGMA)
    return float(np.vdot(fine * fine, mask))


def sharpened(swap: Float, amount: float) -> Float:
    """Add `amount` times the fine detail of a crop to it; a negative amount blurs.

    Args:
        swap: (S, S, 3) float32, not changed.
        amount: from `sharpening`.

    Returns:
        (S, S, 3) float32, a new array; may leave 0..255.
    """
    blurred = cv2.GaussianBlur(swap, (0, 0), _BLUR_SIGMA)
    return np.asarray(cv2.addWeighted(swap, 1.0 + amount, blurred, -amount, 0.0), np.float32)


def missing_grain(
    frame: Image, swap: Float, landmarks: Landmarks, origin: tuple[int, int]
) -> float:
    """How much grain the swap lacks, measured on the cheeks and the forehead.

    Args:
        frame: (h, w, 3) uint8, the frame's region of interest.
        swap: (h, w, 3) float32, the new face in the same place.
        landmarks: (478, 2) in pixels of the frame.
        origin: x, y of the region in the frame.

    Returns:
        Standard deviation in gray levels, 0 to `MAX_GRAIN`; 0 if no patch is visible.
    """
    half = int(_PATCH * float(np.ptp(landmarks[:, 0])))
    if half < 2:
        return 0.0
    height, width = frame.shape[:2]
    lacking = MAX_GRAIN
    seen = False
    for x, y in np.rint(landmarks[_SMOOTH_SKIN] - origin).astype(int):
        if not (half <= x < width - half and half <= y < height - half):
            continue
        seen = True
        patch = np.s_[y - half : y + half + 1, x - half : x + half + 1]
        levels = [
            noise_level(cv2.cvtColor(part[patch], cv2.COLOR_BGR2GRAY).astype(np.float32))
            for part in (frame, swap)
        ]
        lacking = min(lacking, math.sqrt(max(levels[0] ** 2 - levels[1] ** 2, 0.0)))
    return lacking if seen else 0.0


NOISE = _noise_tile()
"""(256, 256) float32 grain of standard deviation 1 by `noise_level`."""
NOISE.flags.writeable = False
