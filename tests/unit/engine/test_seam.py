"""What is carried from the seam into the face, and what is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.masks import soften
from engine.seam import SeamMatch
from tests.membranes import ellipse

Float = NDArray[np.float32]

SKIN = ellipse(64, 64).astype(np.float32)


def soft_mask(size: int, feather: float = 8.0) -> Float:
    return soften(ellipse(size, size).astype(np.float32), 1.0, feather)


def flat(level: float, size: int = 128) -> Float:
    return np.full((size, size, 3), level, np.float32)


def corrected(swap: Float, frame: Float, mask: Float) -> Float:
    return SeamMatch().apply(swap, frame.astype(np.uint8), mask, SKIN, 1.0)


@pytest.mark.parametrize("size", [32, 64, 128, 256, 300])
def test_another_level_becomes_the_frames(size: int) -> None:
    result = corrected(flat(120, size), flat(150, size), soft_mask(size))
    inside = soft_mask(size) > 0.05
    assert np.abs(result[inside] - 150).max() <= 1.0


def test_equal_faces_stay_as_they_are() -> None:
    same = np.random.default_rng(3).integers(0, 256, (128, 128, 3)).astype(np.float32)
    assert np.array_equal(corrected(same, same, soft_mask(128)), same)


def test_light_from_one_side_is_followed_across_the_face() -> None:
    slope = np.linspace(-40, 40, 128, dtype=np.float32)[None, :, None]
    result = corrected(flat(130), flat(130) + slope, soft_mask(128))
    inside = soft_mask(128) > 0.5
    expected = np.broadcast_to(130 + slope, result.shape)
    assert np.abs(result[inside] - expected[inside]).max() <= 5.0


def test_detail_of_the_new_face_stays() -> None:
    texture = np.zeros((128, 128, 3), np.float32)
    texture[60:68, 60:68] = 40.0
    result = corrected(flat(120) + texture, flat(150), soft_mask(128))
    detail = result[64, 64] - result[64, 40]
    np.testing.assert_allclose(detail, 40.0, atol=1.0)


def test_hair_that_crosses_the_edge_does_not_darken_the_face() -> None:
    mask = soft_mask(128)
    means = []
    for overlap in range(21):
        frame = flat(150)
        frame[: 2 + overlap] = 30.0
        result = corrected(flat(150), frame, mask)
        means.append(float(result[48:80, 48:80].mean()))
    assert np.abs(np.array(means) - 150.0).max() <= 1.0
    assert np.abs(np.diff(means)).max() <= 0.5


def test_a_face_in_hair_all_around_keeps_its_color() -> None:
    frame = flat(30)
    frame[20:108, 20:108] = 150.0
    result = corrected(flat(150), frame, soft_mask(128))
    assert np.abs(result[40:88, 40:88] - 150.0).max() <= 5.0


def test_what_lies_beyond_the_frame_is_not_followed() -> None:
    mask, visible = soft_mask(128), np.ones((128, 128), np.bool_)
    visible[:, :40] = False
    frame = flat(150)
    frame[:, :40] = 165.0
    result = SeamMatch().apply(
        flat(130), frame.astype(np.uint8), mask, SKIN * (np.arange(64) > 20), 1.0, visible=visible
    )
    assert np.abs(result[30:98, 42:98] - 150.0).max() <= 1.0


def test_changes_come_smoothly_in_time() -> None:
    match, mask = SeamMatch(), soft_mask(128)
    levels = []
    for frame in (150, 150, 170, 170):
        result = match.apply(flat(140), flat(frame).astype(np.uint8), mask, SKIN, 0.25)
        levels.append(float(result[4:124, 60:68][mask[4:124, 60:68] > 0.3].mean()))
    assert levels[0] == pytest.approx(levels[1], abs=0.5)
    assert levels[1] + 2 < levels[2] < levels[3] < 165


def test_a_landmark_that_trembles_does_not_make_the_face_flicker() -> None:
    random = np.random.default_rng(2)
    base = cv2.GaussianBlur(random.normal(0, 60, (128, 128, 3)).astype(np.float32), (0, 0), 4)
    frame = np.clip(base + flat(140), 0, 255).astype(np.uint8)
    match, means = SeamMatch(), []
    for _ in range(30):
        moved = np.roll(ellipse(128, 128).astype(np.float32), random.integers(-1, 2, 2), (0, 1))
        result = match.apply(flat(120), frame, soften(moved, 1.0, 8.0), SKIN, 0.2)
        means.append(float(result[32:96, 32:96].mean()))
    assert np.std(means[5:]) <= 0.5
    assert np.abs(np.diff(means)).max() <= 2.0


@pytest.mark.parametrize("size", [1, 2, 3, 64, 129])
@pytest.mark.parametrize("kind", ["empty", "full", "one pixel", "hard"])
def test_masks_of_every_kind_have_a_defined_result(size: int, kind: str) -> None:
    mask = np.zeros((size, size), np.float32)
    if kind == "full":
        mask[:] = 1.0
    elif kind == "one pixel":
        mask[size // 2, size // 2] = 1.0
    elif kind == "hard":
        mask[size // 4 : size // 2 + 1, : size // 2 + 1] = 1.0
    result = corrected(flat(100, size), flat(110, size), mask)
    assert result.shape == (size, size, 3)
    assert (result >= 99.0).all()
    assert (result <= 111.0).all()


def test_black_and_blown_out_pictures_stay_in_range() -> None:
    for swap, frame in ((0, 255), (255, 0), (0, 0), (255, 255)):
        result = corrected(flat(swap), flat(frame), soft_mask(128))
        assert result.min() >= 0.0
        assert result.max() <= 255.0
