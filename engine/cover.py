"""Making a face unrecognizable where it cannot be replaced. Own work."""

from __future__ import annotations

import cv2
import numpy as np

from engine.face import Image, Landmarks

_BLOCKS = 5
"""Blocks across a covered face: too few to tell one person from another."""

_FRAME_BLOCKS = 20
"""Blocks across a whole covered frame, in which a face may have any size."""

_WIDER, _HIGHER = 1.5, 1.7
"""The ellipse around a face's landmarks reaches over hair and ears."""


def cover_face(image: Image, landmarks: Landmarks, growth: float = 1.0) -> None:
    """Replace a face by a few large blocks of its mean colors.

    Args:
        image: (H, W, 3) uint8 BGR, changed in place in an ellipse around the face.
        landmarks: (N, 2) of the face in pixels; may lie outside. If they are no numbers, the
            whole picture is covered.
        growth: 1 covers the face and its hair; more, a larger ellipse of the same center.
    """
    if not np.isfinite(landmarks).all():
        cover_frame(image)
        return
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    center = (low + high) / 2
    radius = np.maximum((high - low) / 2 * np.array([_WIDER, _HIGHER]) * growth, 2.0)
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(center - radius), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(center + radius) + 1, 0, (width, height)).astype(int)
    if left >= right or top >= bottom:
        return
    region = image[top:bottom, left:right]
    block = 2 * float(radius.max()) / _BLOCKS / growth
    blocks = _in_blocks(region, block)
    inside = np.zeros(region.shape[:2], np.uint8)
    middle = (float(center[0] - left), float(center[1] - top))
    cv2.ellipse(inside, (middle, (2 * float(radius[0]), 2 * float(radius[1])), 0.0), 255, -1)
    cv2.copyTo(blocks, inside, region)


def cover_frame(image: Image) -> None:
    """Replace a whole picture by blocks so large that no face in it can be recognized.

    Args:
        image: (H, W, 3) uint8 BGR, changed in place.
    """
    if image.size:
        image[:] = _in_blocks(image, max(image.shape[:2]) / _FRAME_BLOCKS)


def _in_blocks(region: Image, block_px: float) -> Image:
    height, width = region.shape[:2]
    few = (max(1, round(width / block_px)), max(1, round(height / block_px)))
    means = cv2.resize(region, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
