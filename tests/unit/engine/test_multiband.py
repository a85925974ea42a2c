"""Bands of the difference of two pictures, mixed each at its own scale."""

from __future__ import annotations

import numpy as np
import pytest

from engine import multiband
from engine.face import Image
from engine.paste import Float, Patch
from tests.painted_face import smooth_picture


def disc(height: int, width: int) -> Float:
    """A soft disc that fades to 0 within its picture."""
    y, x = np.mgrid[:height, :width]
    radius = np.hypot((y - height / 2) / (height / 2), (x - width / 2) / (width / 2))
    return np.asarray(np.clip((0.9 - radius) * 5.0, 0.0, 1.0), np.float32)


def patch(colors: Float | Image, alpha: Float) -> Patch:
    return Patch(np.dstack([colors, alpha]).astype(np.float32), 0, 0)


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (33, 47), (128, 128), (301, 256)])
def test_equal_pictures_stay_equal(size: tuple[int, int]) -> None:
    frame = smooth_picture(*size)
    result = multiband.blended(patch(frame, disc(*size)), frame)
    np.testing.assert_allclose(result.image, frame, atol=1e-3)


def test_nothing_changes_where_the_mask_is_zero_and_all_of_it_deep_inside() -> None:
    frame, alpha = np.full((200, 200, 3), 90, np.uint8), disc(200, 200)
    result = multiband.blended(patch(frame + 60.0, alpha), frame)
    assert np.array_equal(result.alpha == 0.0, alpha == 0.0)
    np.testing.assert_allclose(result.image[95:105, 95:105], 150, atol=2.0)


def test_a_coarse_step_is_wider_than_a_fine_one() -> None:
    """How far the seam reaches is measured on light, and on a checkered pattern."""
    frame = np.full((256, 256, 3), 100, np.uint8)
    checkered = np.where(np.indices((256, 256)).sum(axis=0) % 2, 40.0, -40.0)[:, :, None]
    alpha = np.zeros((256, 256), np.float32)
    alpha[16:-16, 16:-16] = np.clip((np.arange(224) - 60) / 40, 0, 1)
    light = multiband.blended(patch(frame + 40.0, alpha), frame).image[128, :, 0] - 100
    texture = np.abs(
        multiband.blended(patch(frame + checkered, alpha), frame).image[128, :, 0] - 100
    )
    widths = [np.count_nonzero((row[:240] > 4) & (row[:240] < 36)) for row in (light, texture)]
    assert widths[0] > 3 * widths[1]


@pytest.mark.parametrize(("side", "count"), [(8, 0), (30, 1), (256, 4), (1080, 5)])
def test_levels_follow_the_size_of_the_face(side: int, count: int) -> None:
    assert multiband.levels(side, side) == count
