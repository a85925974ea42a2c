"""A drawn face and its landmarks, for tests that need one without a detector."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import regions
from engine.align import FULL_FACE
from engine.face import Face, Image, Landmarks, Swap


def _ring(count: int, x: float, y: float, rx: float, ry: float) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([x + rx * np.cos(angle), y + ry * np.sin(angle)])


def _unit_landmarks() -> NDArray[np.float64]:
    points = _ring(478, 0.5, 0.48, 0.32, 0.385)
    for brow, x in ((regions.RIGHT_BROW, 0.34), (regions.LEFT_BROW, 0.66)):
        points[brow] = _ring(len(brow), x, 0.25, 0.09, 0.02)
    for eye, x in ((regions.RIGHT_EYE, 0.36), (regions.LEFT_EYE, 0.64)):
        points[eye] = _ring(len(eye), x, 0.335, 0.06, 0.025)
    for patch, (x, y) in zip(
        regions.SKIN_PATCHES, ((0.34, 0.5), (0.66, 0.5), (0.5, 0.46), (0.5, 0.24)), strict=True
    ):
        points[patch] = _ring(len(patch), x, y, 0.045, 0.05)
    points[regions.LIPS] = _ring(len(regions.LIPS), 0.5, 0.64, 0.13, 0.05)
    points[FULL_FACE.indices] = FULL_FACE.template
    return points


UNIT_LANDMARKS = _unit_landmarks()
"""(478, 2) in the unit square of FULL_FACE."""


def landmarks(center: tuple[float, float], side: float, angle_deg: float = 0.0) -> Landmarks:
    """Landmarks of a face whose crop has this center and side in the frame."""
    turn = np.deg2rad(angle_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return ((UNIT_LANDMARKS - 0.5) * side @ rotation.T + center).astype(np.float32)


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


def swapped(
    points: Landmarks,
    image: Image,
    *,
    mask: NDArray[np.float32] | None = None,
    track: int = 1,
    age: int = 0,
) -> Face:
    """A face whose model answered with `image`."""
    matrix = FULL_FACE.frame_to_crop(points, image.shape[0])
    return Face(points, track, age, 0.0, Swap(image, mask, matrix))
