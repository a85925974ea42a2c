"""Sharpness, grain and PSNR of pictures with known ones."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from benchmarks.quality.texture import noise, psnr_db, sharpness

EVERYWHERE = np.ones((96, 96), np.bool_)
NOWHERE = np.zeros((96, 96), np.bool_)


def gray(level: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(level), 0, 255), np.uint8)[:, :, None].repeat(3, 2)


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_noise_is_the_standard_deviation_of_the_grain(sigma: float) -> None:
    slope = np.add.outer(np.arange(96.0), np.arange(96.0)) / 2 + 60
    grain = np.random.default_rng(3).normal(0, sigma, (96, 96))
    assert noise(gray(slope + grain), EVERYWHERE) == pytest.approx(sigma, rel=0.08)


def test_edges_are_no_grain() -> None:
    bars = np.where(np.arange(96) // 16 % 2, 200.0, 50.0)[:, None].repeat(96, 1)
    assert noise(gray(bars), EVERYWHERE) == 0.0


def test_blur_lowers_sharpness() -> None:
    picture = gray(np.random.default_rng(4).normal(128, 30, (96, 96)))
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8)
    assert sharpness(soft, EVERYWHERE) < 0.3 * sharpness(picture, EVERYWHERE)
    assert sharpness(gray(np.full((96, 96), 90.0)), EVERYWHERE) == 0.0


def test_only_the_region_counts() -> None:
    picture = gray(np.full((96, 96), 90.0))
    picture[:, 48:] = gray(np.random.default_rng(5).normal(128, 30, (96, 48)))
    left = NOWHERE.copy()
    left[:, :46] = True
    assert noise(picture, left) == sharpness(picture, left) == 0.0
    assert noise(picture, ~left) > 20.0


def test_psnr() -> None:
    picture = gray(np.full((96, 96), 90.0))
    other = picture.copy()
    other[:48] += 10
    assert psnr_db(picture, picture, EVERYWHERE) == math.inf
    assert psnr_db(picture, other, EVERYWHERE) == pytest.approx(10 * math.log10(255**2 / 50))
    top = NOWHERE.copy()
    top[:48] = True
    assert psnr_db(picture, other, top) == pytest.approx(10 * math.log10(255**2 / 100))


def test_nothing_in_an_empty_region() -> None:
    picture = gray(np.full((96, 96), 90.0))
    assert math.isnan(noise(picture, NOWHERE))
    assert math.isnan(sharpness(picture, NOWHERE))
    assert math.isnan(psnr_db(picture, picture, NOWHERE))
