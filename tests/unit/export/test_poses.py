from __future__ import annotations

import numpy as np
import pytest

from export.poses import Pose, pose_of


def face(nose_x: float = 50.0, lids: float = 9.0, lips: float = 0.0) -> np.ndarray:
    """Ears 100 px, eye corners 30 px and mouth corners 40 px apart."""
    points = np.zeros((478, 2), np.float32)
    points[[234, 454, 1]] = (0, 50), (100, 50), (nose_x, 50)
    for upper, lower, left, right, x in ((159, 145, 33, 133, 30), (386, 374, 263, 362, 70)):
        points[[left, right]] = (x - 15, 40), (x + 15, 40)
        points[[upper, lower]] = (x, 40 - lids / 2), (x, 40 + lids / 2)
    points[[61, 291]] = (30, 80), (70, 80)
    points[[13, 14]] = (50, 80 - lips / 2), (50, 80 + lips / 2)
    return points


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (face(), Pose("frontal", "calm")),
        (face(nose_x=75), Pose("half right", "calm")),
        (face(nose_x=-10), Pose("left", "calm")),
        (face(lips=20), Pose("frontal", "open mouth")),
        (face(lids=2), Pose("frontal", "shut eyes")),
        (face(lids=2, lips=20), Pose("frontal", "shut eyes")),
    ],
)
def test_faces_are_sorted_by_turn_and_expression(shown: np.ndarray, expected: Pose) -> None:
    assert pose_of(shown) == expected
