from __future__ import annotations

import numpy as np

from engine.align import FULL_FACE
from engine.smooth_mask import CROP, LEFT, SIDE, TOP, smooth_mask

BOX = smooth_mask(np.ones((CROP, CROP), np.float32))[TOP : TOP + SIDE, LEFT : LEFT + SIDE]


def test_profile_is_the_classic_one() -> None:
    levels = np.rint(BOX[SIDE // 2] * 255)
    assert (levels[:3] == 0).all()
    assert levels[3] == 15
    assert levels[16] == 240
    assert (np.diff(levels[2:18]) > 0).all()
    assert (levels[17 : SIDE - 18] == 255).all()
    assert (levels[-4:] == 0).all()
    assert levels[-5] == 15
    assert abs(float(BOX.mean()) - 0.755) < 0.002


def test_nothing_outside_the_box() -> None:
    whole = smooth_mask(np.ones((CROP, CROP), np.float32))
    assert np.isclose(whole.sum(), BOX.sum())


def test_the_box_holds_brows_and_mouth_but_not_the_chin() -> None:
    low, high = np.array([LEFT, TOP]) / CROP, (np.array([LEFT, TOP]) + SIDE) / CROP
    assert (FULL_FACE.template > low).all()
    assert (FULL_FACE.template < high).all()
    assert high[1] < 0.8


def test_a_shape_is_cut_and_feathered() -> None:
    half = np.ones((CROP, CROP), np.float32)
    half[:, CROP // 2 :] = 0.0
    mask = smooth_mask(half)
    assert mask[CROP // 2, CROP // 2 - 20] == 1.0
    assert 0.3 < mask[CROP // 2, CROP // 2] < 0.7
    assert mask[CROP // 2, CROP // 2 + 20] == 0.0


def test_any_size_covers_the_same_part_of_the_crop() -> None:
    for size in (1, 2, 64, 128, 512):
        mask = smooth_mask(np.ones((size, size), np.float32))
        assert mask.shape == (size, size)
        assert abs(float(mask.mean()) - 0.755 * (SIDE / CROP) ** 2) < 0.01
