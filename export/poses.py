"""Where a head looks and what the face does, in words: the cells of a report's grid."""

from __future__ import annotations

from bisect import bisect
from typing import Final, NamedTuple

from engine.face import Landmarks
from engine.roi import yaw_deg
from export.regions import eye_opening, mouth_opening

YAWS: Final = ("left", "half left", "frontal", "half right", "right")
"""Where the head is turned in the picture, from left to right; bounded by `BOUNDS_DEG`."""

BOUNDS_DEG: Final = (-35.0, -12.0, 12.0, 35.0)

EXPRESSIONS: Final = ("calm", "open mouth", "shut eyes")

# Openings relative to the width of mouth and eye; faces at rest have about 0 and 0.3.
_OPEN_MOUTH: Final = 0.25
_SHUT_EYES: Final = 0.17


class Pose(NamedTuple):
    """One of `YAWS` and one of `EXPRESSIONS`."""

    yaw: str
    expression: str


def pose_of(landmarks: Landmarks) -> Pose:
    """Sort a face into the grid; shut eyes count more than an open mouth.

    Args:
        landmarks: (478, 2) in pixels of any picture.
    """
    yaw = YAWS[bisect(BOUNDS_DEG, yaw_deg(landmarks))]
    if eye_opening(landmarks) < _SHUT_EYES:
        return Pose(yaw, "shut eyes")
    return Pose(yaw, "open mouth" if mouth_opening(landmarks) > _OPEN_MOUTH else "calm")
