"""From crop to frame pixels, and mixing there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from engine import align, paste
from engine.align import FULL_FACE
from engine.face import Mask, Matrix
from tests.painted_face import landmarks, smooth_picture

FRAME = smooth_picture(240, 320)


def test_a_placed_crop_lies_where_it_was_cut() -> None:
    matrix = FULL_FACE.frame_to_crop(landmarks((160.0, 120.0), 150.0, 12.0), 128)
    crop = align.crop(FRAME, matrix, 128).astype(np.float32)
    mask = np.zeros((128, 128), np.float32)
    mask[20:100, 30:90] = 1.0
    patch = paste.place(crop, mask, matrix, FRAME.shape)
    assert patch is not None
    there = patch.region(FRAME)
    assert there.shape[:2] == patch.alpha.shape
    assert np.abs(patch.image - there)[patch.alpha == 1.0].max() < 3.0


@pytest.mark.parametrize("side", [96.0, 128.0])
def test_a_crop_of_the_frames_own_scale_comes_back_with_its_detail(side: float) -> None:
    noise = np.random.default_rng(8).normal(128.0, 60.0, (*FRAME.shape[:2], 3))
    frame = np.clip(cv2.GaussianBlur(noise, (0, 0), 0.7), 0, 255).astype(np.uint8)
    matrix = FULL_FACE.frame_to_crop(landmarks((160.3, 120.7), side, 12.0), 128)
    crop = align.crop(frame, matrix, 128).astype(np.float32)
    mask = np.zeros((128, 128), np.float32)
    mask[20:100, 30:90] = 1.0
    patch = paste.place(crop, mask, matrix, frame.shape)
    assert patch is not None
    off = (patch.image - patch.region(frame))[patch.alpha == 1.0]
    assert off.std() < 2.5  # bilinear there and back: 9 and 10
    assert 0.0 <= patch.alpha.min() <= patch.alpha.max() <= 1.0  # no ripples along the mask


@pytest.mark.parametrize("side", [40.0, 128.0, 300.0])
def test_alpha_shows_the_mask_at_its_place_and_size(side: float) -> None:
    matrix = FULL_FACE.frame_to_crop(landmarks((160.0, 120.0), side), 128)
    mask = np.zeros((128, 128), np.float32)
    mask[32:96, 32:96] = 1.0
    patch = paste.place(np.zeros((128, 128, 3), np.float32), mask, matrix, FRAME.shape)
    assert patch is not None
    assert patch.alpha.sum() == pytest.approx((side / 2) ** 2, rel=0.05)
    rows, columns = np.nonzero(patch.alpha > 0.5)
    assert rows.mean() + patch.top == pytest.approx(120.0, abs=0.6)
    assert columns.mean() + patch.left == pytest.approx(160.0, abs=0.6)


@pytest.mark.parametrize("tilt", [0.0, 25.0])
@pytest.mark.parametrize("center", [(160.0, 120.0), (20.0, 230.0)])
def test_of_a_face_larger_than_the_frame_only_what_it_shows_is_enlarged(
    tilt: float, center: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    crop = np.random.default_rng(6).uniform(0.0, 255.0, (128, 128, 3)).astype(np.float32)
    mask = np.zeros((128, 128), np.float32)
    mask[4:-4, 4:-4] = 1.0
    matrix = FULL_FACE.frame_to_crop(landmarks(center, 1200.0, tilt), 128)
    enlarged: list[int] = []
    resize = cv2.resize

    def counted(picture: Mask, size: tuple[int, int], **how: Any) -> object:
        enlarged.append(size[0] * size[1])
        return resize(picture, size, **how)

    monkeypatch.setattr(cv2, "resize", counted)
    patch = paste.place(crop, mask, matrix, FRAME.shape)
    assert sum(enlarged) < paste.MAX_UPSCALED**2 / 4
    around = 900  # so that the whole crop lies in the wider frame
    wider_to_crop = matrix.copy()
    wider_to_crop[:, 2] -= matrix[:, :2] @ (around, around)
    shape = (FRAME.shape[0] + 2 * around, FRAME.shape[1] + 2 * around)
    whole = paste.place(crop, mask, wider_to_crop, shape)
    assert patch is not None
    assert whole is not None
    top, left = around + patch.top - whole.top, around + patch.left - whole.left
    height, width = patch.alpha.shape
    expected = whole.pixels[top : top + height, left : left + width]
    assert patch.alpha.size == FRAME[:, :, 0].size
    assert np.abs(patch.pixels - expected).max() < 0.5


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((2, 3)),
        np.full((2, 3), np.nan),
        np.array([[1.0, 0.0, 900.0], [0.0, 1.0, 0.0]]),
        np.array([[1e9, 0.0, 0.0], [0.0, 1e9, 0.0]]),
        np.array([[1e-9, 0.0, 0.0], [0.0, 1e-9, 0.0]]),
    ],
    ids=["singular", "nan", "outside", "a dot", "endless"],
)
def test_nothing_to_place(matrix: Matrix) -> None:
    crop, mask = np.zeros((64, 64, 3), np.float32), np.ones((64, 64), np.float32)
    assert paste.place(crop, mask, matrix, FRAME.shape) is None


def test_an_empty_mask_gives_no_patch() -> None:
    crop, mask = np.zeros((64, 64, 3), np.float32), np.zeros((64, 64), np.float32)
    assert paste.place(crop, mask, np.eye(2, 3), FRAME.shape) is None


def test_composite_is_the_weighted_mean_rounded() -> None:
    generator = np.random.default_rng(5)
    frame = generator.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    image = generator.uniform(-20, 280, (20, 30, 3)).astype(np.float32)
    alpha = generator.uniform(0, 1, (20, 30)).astype(np.float32)
    alpha[:5] = 0.0
    alpha[-5:] = 1.0
    result = frame.copy()
    paste.composite(result, paste.Patch(np.dstack([image, alpha]), 8, 7))
    expected = frame.astype(np.float64)
    part = np.s_[7:27, 8:38]
    expected[part] += alpha[..., None] * (image - expected[part])
    rounded = np.clip(np.floor(expected + 0.5), 0, 255)
    off = np.abs(result - rounded)
    assert off.max() <= 1
    assert np.count_nonzero(off) < 5
    kept = np.ones(frame.shape[:2], bool)
    kept[part] = alpha == 0.0
    assert np.array_equal(result[kept], frame[kept])


def test_grain_has_the_level_that_was_asked_for_and_repeats_with_its_seed() -> None:
    frame = np.zeros((200, 200, 3), np.uint8)
    pixels = np.full((180, 180, 4), 128, np.float32)
    pixels[:, :, 3] = 1.0
    patch = paste.Patch(pixels, 10, 10)
    results = []
    for seed in (1, 1, 2):
        result = frame.copy()
        paste.composite(result, patch, grain=3.0, seed=seed)
        results.append(result)
    first, again, other = results
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    noise = first[10:190, 10:190].astype(float) - 128
    assert abs(noise.mean()) < 0.2
    assert 2.0 < noise.std() < 5.0
    assert not first[:10].any()
