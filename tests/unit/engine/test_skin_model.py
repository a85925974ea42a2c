"""One person's skin, learned from painted faces of every tone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import skin_model
from engine.skin_model import SkinModel
from tests.painted_face import UNIT_LANDMARKS, portrait

SIZE = 128
POINTS = UNIT_LANDMARKS * SIZE - 0.5
PATCHES = skin_model.patches(POINTS, SIZE)
TONES = [(228, 237, 246), (150, 189, 215), (86, 126, 160), (52, 65, 96), (32, 36, 41)]


def face(skin_bgr: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    painted = portrait(SIZE, SIZE, POINTS.astype(np.float32), skin_bgr=skin_bgr)
    noise = np.random.default_rng(seed).normal(0.0, 1.5, painted.shape)
    return np.clip(np.rint(painted + noise), 0, 255).astype(np.uint8)


def learned(image: np.ndarray, where: np.ndarray = PATCHES) -> SkinModel:
    model = SkinModel()
    model.learn(image, where)
    return model


def hull_of(image: np.ndarray) -> np.ndarray:
    """Skin pixels of `face` that no part covers."""
    plain = portrait(SIZE, SIZE, POINTS.astype(np.float32), skin_bgr=(1, 2, 3))
    return (plain == (1, 2, 3)).all(axis=2)


@pytest.mark.parametrize("tone", TONES)
def test_finds_the_skin_of_every_tone_and_not_the_blue_wall(tone: tuple[int, int, int]) -> None:
    image = face(tone)
    mask = learned(image).mask(image)
    skin = hull_of(image)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}
    assert (mask[skin] > 0).mean() > 0.97
    assert (mask[:20, :20] > 0).mean() < 0.02


def test_shade_is_still_skin() -> None:
    image = face((86, 126, 160))
    ramp = np.linspace(0.6, 1.2, SIZE)[None, :, None]
    shaded = np.clip(image * ramp, 0, 255).astype(np.uint8)
    assert (learned(shaded).mask(shaded)[hull_of(image)] > 0).mean() > 0.97


def test_a_blown_out_face_is_learned_as_it_is() -> None:
    image = face((255, 255, 255))
    assert (learned(image).mask(image)[hull_of(image)] > 0).mean() > 0.97


def test_hair_over_one_patch_does_not_spoil_the_model() -> None:
    image = face((150, 189, 215))
    image[: SIZE * 30 // 100] = (20, 25, 35)
    model = learned(image)
    mask = model.mask(image)
    assert mask[60:70, 40:50].all()
    assert not mask[: SIZE * 28 // 100].any()


def test_the_light_may_change_its_color() -> None:
    image = face((86, 126, 160))
    model = learned(image)
    warm = np.clip(image * np.array([0.75, 1.0, 1.2]), 0, 255).astype(np.uint8)
    assert (model.mask(warm)[hull_of(image)] > 0).mean() > 0.9


def test_small_changes_are_followed_slowly() -> None:
    model = learned(face((86, 126, 160)))
    before, flushed = model._line.copy(), face((84, 122, 164))
    whole = learned(flushed)._line
    model.learn(flushed, PATCHES, rate=0.1)
    assert np.allclose(model._line, before + 0.1 * (whole - before))


def test_another_person_is_learned_at_once() -> None:
    model = learned(face((150, 189, 215)))
    dark = face((52, 65, 96))
    model.learn(dark, PATCHES, rate=0.05)
    assert (model.mask(dark)[hull_of(dark)] > 0).mean() > 0.97


def test_something_colorful_in_the_picture_does_not_hide_the_skin() -> None:
    image = face((86, 126, 160))
    model = learned(image)
    image[96:] = (200, 60, 20)
    model.learn(image, PATCHES, rate=0.1)
    assert (model.mask(image)[:96][hull_of(image)[:96]] > 0).mean() > 0.95


def test_knows_nothing_without_patches() -> None:
    image = face((86, 126, 160))
    model = learned(image, np.zeros((SIZE, SIZE), np.uint8))
    assert not model.known
    assert not model.mask(image).any()


def test_patches_of_many_things_are_not_learned() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    assert not learned(noise).known


def test_patches_lie_on_the_face_clear_of_eyes_and_lips() -> None:
    plain = hull_of(face((1, 2, 3)))
    assert plain[PATCHES > 0].all()
    assert np.count_nonzero(PATCHES) > 200
    assert not skin_model.patches(POINTS + 1e6, SIZE)[5:-5, 5:-5].any()


def test_the_patch_of_a_box_is_in_its_middle() -> None:
    patch = skin_model.box_patch(SIZE)
    x, y, width, height = cv2.boundingRect(patch)
    assert SIZE * 0.2 < x < x + width < SIZE * 0.8
    assert SIZE * 0.35 < y < y + height < SIZE * 0.7


@pytest.mark.parametrize("shape", [(0, 0, 3), (1, 1, 3), (3, 50, 3)])
def test_odd_pictures(shape: tuple[int, int, int]) -> None:
    model = learned(face((86, 126, 160)))
    assert model.mask(np.full(shape, 90, np.uint8)).shape == shape[:2]


@pytest.mark.parametrize("value", [0, 255])
def test_flat_black_and_white_are_defined(value: int) -> None:
    image = np.full((SIZE, SIZE, 3), value, np.uint8)
    assert learned(image).mask(image).shape == (SIZE, SIZE)


def test_gray_world_makes_the_mean_gray_within_limits() -> None:
    image = np.full((4, 4, 3), (60, 80, 90), np.uint8)
    corrected = image[0, 0] * skin_model.gray_world(image)
    assert np.ptp(corrected) < 1.0
    blue = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert skin_model.gray_world(blue).max() <= 1.6


def test_warm_up_compiles() -> None:
    skin_model.warm_up()
