from __future__ import annotations

import numpy as np

from engine.align import FULL_FACE, apply
from engine.regions import LEFT_EYE, LIPS, RIGHT_EYE
from export.dataset import Kind
from export.regions import detail_map, is_expressive
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


def test_shut_eyes_and_a_wide_open_mouth_are_expressive() -> None:
    points = landmarks((300.0, 200.0), 240.0)
    for upper, lower, left, right, opening in (
        (159, 145, 33, 133, 0.3),
        (386, 374, 263, 362, 0.3),
        (13, 14, 61, 291, 0.1),
    ):
        _open(points, upper, lower, left, right, opening)
    assert not is_expressive(points, Kind.RENDER)
    assert not is_expressive(points, Kind.PHOTO)
    shut = points.copy()
    _open(shut, 159, 145, 33, 133, 0.05)
    _open(shut, 386, 374, 263, 362, 0.05)
    assert is_expressive(shut, Kind.RENDER)
    shouting = points.copy()
    _open(shouting, 13, 14, 61, 291, 0.6)
    assert is_expressive(shouting, Kind.RENDER)
    laughing = points.copy()
    _open(laughing, 13, 14, 61, 291, 0.25)
    assert is_expressive(laughing, Kind.PHOTO)
    assert not is_expressive(laughing, Kind.RENDER)


def _open(  # noqa: PLR0917  # a plain list of points
    points: np.ndarray, upper: int, lower: int, left: int, right: int, opening: float
) -> None:
    width = np.hypot(*(points[left] - points[right]))
    points[lower] = points[upper] + (0, opening * width)
