from __future__ import annotations

import numpy as np

from engine.align import FULL_FACE, apply
from engine.regions import LEFT_EYE, LIPS, RIGHT_EYE
from export.regions import detail_map
from tests.painted_face import landmarks


def test_eyes_count_most_then_the_mouth_then_nothing() -> None:
    points = landmarks((300.0, 200.0), 240.0)
    aligned = apply(FULL_FACE.frame_to_crop(points, 128), points)
    weights = detail_map(aligned, 128)

    def at(indices: np.ndarray) -> int:
        x, y = aligned[indices].mean(axis=0).round().astype(int)
        return int(weights[y, x])

    assert at(RIGHT_EYE) == at(LEFT_EYE) == 255
    assert at(LIPS) == 200
    assert weights[0].max() == weights[-1].max() == 0
