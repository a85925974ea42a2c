from __future__ import annotations

import numpy as np
import pytest

from benchmarks.face_points import UNIT_LANDMARKS
from engine.cover import cover_face, cover_frame

RNG = np.random.default_rng(3)


def placed(center: tuple[float, float], height: float) -> np.ndarray:
    middle = (UNIT_LANDMARKS.min(0) + UNIT_LANDMARKS.max(0)) / 2
    return ((UNIT_LANDMARKS - middle) / np.ptp(UNIT_LANDMARKS[:, 1]) * height + center).astype(
        np.float32
    )


def test_covers_the_face_and_only_its_surroundings() -> None:
    image = RNG.integers(0, 256, (240, 320, 3)).astype(np.uint8)
    before = image.copy()
    points = placed((160, 120), 80)
    cover_face(image, points)
    changed = (image != before).any(axis=2)
    x, y = np.rint(points).astype(int).T
    assert changed[y, x].mean() > 0.98
    assert not changed[:, :80].any()
    assert not changed[:, -80:].any()
    colors = np.unique(image[changed].reshape(-1, 3), axis=0)
    assert len(colors) <= 6 * 7, "a few blocks only"


@pytest.mark.parametrize("center", [(0, 0), (320, 100), (-500, 40), (160, 1000)])
def test_face_at_or_beyond_the_border(center: tuple[float, float]) -> None:
    image = RNG.integers(0, 256, (240, 320, 3)).astype(np.uint8)
    before = image.copy()
    cover_face(image, placed(center, 120))
    inside = 0 <= center[0] <= 320 and 0 <= center[1] <= 240
    assert (image != before).any() == inside


def test_growth_covers_more_with_no_finer_blocks() -> None:
    small = RNG.integers(0, 256, (240, 320, 3)).astype(np.uint8)
    large, before = small.copy(), small.copy()
    cover_face(small, placed((160, 120), 60))
    cover_face(large, placed((160, 120), 60), growth=1.5)
    areas = [(image != before).any(axis=2).sum() for image in (small, large)]
    assert areas[1] == pytest.approx(2.25 * areas[0], rel=0.1)


def test_face_without_a_place_covers_everything() -> None:
    image = RNG.integers(0, 256, (90, 160, 3)).astype(np.uint8)
    expected = image.copy()
    cover_face(image, np.full((478, 2), np.nan, np.float32))
    cover_frame(expected)
    assert np.array_equal(image, expected)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) <= 20 * 12
    cover_frame(np.zeros((0, 0, 3), np.uint8))
