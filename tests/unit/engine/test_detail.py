"""Sharpness and grain are measured on the frame and given to the swap."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import detail
from tests.painted_face import landmarks, smooth_picture

SIZE = 128
MASK = np.ones((SIZE, SIZE), np.float32)
NOISY = np.clip(np.random.default_rng(0).normal(128, 25, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
SHARP = cv2.GaussianBlur(NOISY, (0, 0), 0.8)
SOFT = cv2.GaussianBlur(NOISY, (0, 0), 1.6)


def energy(crop: detail.Float) -> float:
    return detail._fine_energy(crop, MASK)


def test_equal_pictures_need_no_sharpening() -> None:
    assert detail.sharpening(SHARP.astype(np.float32), SHARP, MASK) == pytest.approx(0.0, abs=1e-3)
    assert np.allclose(detail.sharpened(SHARP.astype(np.float32), 0.0), SHARP, atol=1e-3)


def test_a_soft_swap_is_sharpened_toward_the_frame_and_a_sharp_one_blurred() -> None:
    soft, sharp = SOFT.astype(np.float32), SHARP.astype(np.float32)
    up = detail.sharpening(soft, SHARP, MASK)
    down = detail.sharpening(sharp, SOFT, MASK)
    assert 0.0 < up <= detail.MAX_SHARPEN
    assert detail.MAX_SOFTEN <= down < 0.0
    assert energy(soft) < energy(detail.sharpened(soft, up)) <= energy(sharp)
    assert energy(soft) < energy(detail.sharpened(sharp, down)) < energy(sharp)


def test_flat_pictures_and_empty_masks_ask_for_nothing() -> None:
    flat = np.full((SIZE, SIZE, 3), 90, np.uint8)
    assert detail.sharpening(flat.astype(np.float32), flat, MASK) == 0.0
    assert detail.sharpening(SOFT.astype(np.float32), SHARP, np.zeros_like(MASK)) == 0.0


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_noise_level_is_its_standard_deviation_whatever_the_shading(sigma: float) -> None:
    shading = np.add.outer(np.arange(80) * 1.5, np.arange(80) * 0.5)
    noise = np.random.default_rng(1).normal(0.0, sigma, (80, 80))
    assert detail.noise_level((shading + noise).astype(np.float32)) == pytest.approx(sigma, rel=0.1)
    assert detail.noise_level(shading.astype(np.float32)) < 1e-3


def test_noise_tile_has_level_1_and_repeats_without_a_seam() -> None:
    assert detail.noise_level(np.tile(detail.NOISE, (2, 2))) == pytest.approx(1.0, rel=0.01)
    assert abs(float(detail.NOISE.mean())) < 0.05


def test_missing_grain_is_what_the_swap_lacks() -> None:
    points = landmarks((100.0, 100.0), 160.0)
    clean = smooth_picture(200, 200)
    noise = np.random.default_rng(2).normal(0.0, 3.0, (200, 200, 1))
    grainy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    missing = detail.missing_grain(grainy, clean.astype(np.float32), points, (0, 0))
    assert missing == pytest.approx(3.0, rel=0.25)
    assert detail.missing_grain(clean, clean.astype(np.float32), points, (0, 0)) < 0.5
    assert detail.missing_grain(clean, grainy.astype(np.float32), points, (0, 0)) == 0.0


def test_grain_is_limited_and_zero_where_nothing_can_be_measured() -> None:
    points = landmarks((100.0, 100.0), 160.0)
    wild = np.random.default_rng(3).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    flat = np.full((200, 200, 3), 128, np.float32)
    assert detail.missing_grain(wild, flat, points, (0, 0)) == detail.MAX_GRAIN
    assert detail.missing_grain(wild, flat, points, (5000, 0)) == 0.0
    assert detail.missing_grain(wild, flat, points * np.float32(0.01), (0, 0)) == 0.0
