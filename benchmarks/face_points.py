"""Landmarks of a plain face anywhere in a frame, for whoever needs one without a detector."""

from __future__ import annotations

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
    return np.asarray((UNIT_LANDMARKS - 0.5) * side @ rotation.T + center, np.float32)


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
