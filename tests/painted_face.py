"""A drawn face and its landmarks, for tests that need one without a detector."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.face_points import UNIT_LANDMARKS, landmarks, swapped
from engine import regions
from engine.face import Image, Landmarks

__all__ = ["UNIT_LANDMARKS", "landmarks", "portrait", "smooth_picture", "swapped"]


def smooth_picture(height: int, width: int, seed: int = 0) -> Image:
    """Colored clouds without any detail finer than a few pixels."""
    coarse = np.random.default_rng(seed).integers(
        40, 216, (max(height // 40, 2), max(width // 40, 2), 3), dtype=np.uint8
    )
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def portrait(
    height: int,
    width: int,
    points: Landmarks,
    skin_bgr: tuple[int, int, int] = (110, 140, 190),
    background_bgr: tuple[int, int, int] = (120, 90, 40),
) -> Image:
    """A flat face with dark eyes and red lips on a flat background."""
    image = np.full((height, width, 3), background_bgr, np.uint8)
    hull = np.rint(cv2.convexHull(points)).astype(np.int32)
    cv2.fillConvexPoly(image, hull, skin_bgr)
    for part, color in (
        (regions.RIGHT_EYE, (20, 20, 20)),
        (regions.LEFT_EYE, (20, 20, 20)),
        (regions.LIPS, (60, 30, 30)),
    ):
        outline = np.rint(cv2.convexHull(points[part])).astype(np.int32)
        cv2.fillConvexPoly(image, outline, color)
    return image
