"""Low-frequency light between two pictures of a face."""

from __future__ import annotations

import numpy as np

from engine import light

ONES = np.ones((64, 64), np.float32)
GRAY = np.full((64, 64, 3), 120, np.uint8)


def test_equal_pictures_have_no_ratio() -> None:
    assert (light.log_ratio(GRAY, GRAY, ONES, ONES) == 0.0).all()


def test_light_is_limited() -> None:
    frame = np.full((64, 64, 3), 240, np.uint8)
    frame[:, :32] = 0
    ratio = light.log_ratio(frame, GRAY, ONES, ONES)
    assert np.ptp(ratio) <= 2 * np.log(light.MAX_RELIGHT) + 1e-5
    dark = light.log_ratio(np.zeros_like(GRAY), GRAY + 130, ONES, ONES)
    assert np.allclose(dark, -np.log(light.MAX_EXPOSURE))


def test_what_has_no_weight_gives_no_light() -> None:
    frame = GRAY.copy()
    frame[:, 40:] = 255
    weights = ONES.copy()
    weights[:, 40:] = 0.0
    assert np.abs(light.log_ratio(frame, GRAY, weights, weights)).max() < 1e-3


def test_relight_multiplies_and_keeps_the_crop() -> None:
    ratio = np.full((32, 32), np.log(1.5), np.float32)
    out, scratch = np.empty((2, 64, 64, 3), np.float32)
    assert light.relight(GRAY, ratio, out, scratch) is out
    assert np.allclose(out, 180.0, atol=1e-3)
    assert (GRAY == 120).all()
