from __future__ import annotations

import numpy as np
import pytest

from engine.face import Image
from export.persona.expressions import SIDES, Expression
from export.persona.puppet import (
    Performance,
    open_mouth,
    perform,
    random_performance,
    shut_eyes,
)

SIZE = 160
EYE_BGR, LIP_BGR, SKIN_BGR = (60, 40, 20), (60, 60, 200), (120, 150, 200)


def portrait() -> tuple[Image, np.ndarray]:
    """A flat face whose eyes and lips have colors of their own."""
    landmarks = np.tile(np.array([80.0, 80.0]), (478, 1))
    upper = (33, 246, 161, 160, 159, 158, 157, 173, 133)
    lower = (33, 7, 163, 144, 145, 153, 154, 155, 133)
    brow = (46, 53, 52, 65, 55)
    mirrored = (
        (263, 466, 388, 387, 386, 385, 384, 398, 362),
        (263, 249, 390, 373, 374, 380, 381, 382, 362),
        (276, 283, 282, 295, 285),
    )
    arc = np.sin(np.linspace(0, np.pi, 9))
    for sign, (up, low, top) in ((-1, (upper, lower, brow)), (1, mirrored)):
        x = 80 + sign * np.linspace(44, 16, 9)
        landmarks[list(up)] = np.column_stack([x, 64 - 6 * arc])
        landmarks[list(low)] = np.column_stack([x, 64 + 6 * arc])
        landmarks[list(top)] = np.column_stack([80 + sign * np.linspace(44, 16, 5), np.full(5, 46)])
    corner_to_corner = np.column_stack([np.linspace(58, 102, 11), np.full(11, 110.0)])
    landmarks[[78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]] = corner_to_corner
    landmarks[[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]] = corner_to_corner
    landmarks[152], landmarks[10] = (80, 140), (80, 20)
    image = np.empty((SIZE, SIZE, 3), np.uint8)
    image[:] = SKIN_BGR
    y, x = np.mgrid[:SIZE, :SIZE]
    for middle in (50, 110):
        image[((x - middle) / 14) ** 2 + ((y - 64) / 6) ** 2 < 1] = EYE_BGR
    image[106:115, 58:103] = LIP_BGR
    return image, landmarks.astype(np.float32)


def count(image: Image, color: tuple[int, int, int]) -> int:
    return int((np.abs(image.astype(int) - color).max(axis=2) < 12).sum())


def test_lids_cover_the_eyes_with_the_skin_above_them() -> None:
    image, landmarks = portrait()
    seen = [count(shut_eyes(image, landmarks, far), EYE_BGR) for far in (0.0, 0.5, 1.0)]
    assert seen[0] == count(image, EYE_BGR)
    assert 0.3 * seen[0] < seen[1] < 0.7 * seen[0]
    assert seen[2] < 0.25 * seen[0]  # a line of lashes stays


def test_nothing_but_the_eyes_moves_when_they_shut() -> None:
    image, landmarks = portrait()
    shut = shut_eyes(image, landmarks, 1.0)
    assert np.array_equal(shut[75:], image[75:])
    assert np.array_equal(shut[:, 70:90], image[:, 70:90])


@pytest.mark.parametrize("how_far", [0.03, 0.08, 0.12])
def test_the_jaw_goes_down_as_far_as_told_and_the_upper_lip_stays(how_far: float) -> None:
    image, landmarks = portrait()
    opened = open_mouth(image, landmarks, how_far, np.random.default_rng(0))
    assert np.array_equal(opened[:106], image[:106])
    column = np.abs(opened[:, 80].astype(int) - LIP_BGR).max(axis=1) < 25
    lower_lip = np.flatnonzero(column[113:])[0] + 113
    assert abs(lower_lip - (110 + how_far * 120)) <= 3


def test_the_rig_follows_what_the_portrait_is_made_to_do() -> None:
    calm = Expression({"mouth-corner-puller": 0.9, "mouth-part-later": 0.8})
    shut = Performance(lids=1.0, jaw=0.0).added_to(calm)
    wide = Performance(lids=0.0, jaw=0.1).added_to(calm)
    assert all(shut.units[f"eye-{side}-closure"] == 1.0 for side in SIDES)
    assert shut.units["mouth-corner-puller"] == 0.9
    assert all(wide.units[f"eye-{side}-closure"] == 0.0 for side in SIDES)
    assert wide.units["mouth-open"] > 0.5
    assert wide.units["mouth-part-later"] < 0.5


def test_every_random_performance_changes_the_portrait() -> None:
    image, landmarks = portrait()
    rng = np.random.default_rng(0)
    for _ in range(20):
        performed = perform(image, landmarks, random_performance(rng), rng)
        assert performed.shape == image.shape
        assert not np.array_equal(performed, image)
