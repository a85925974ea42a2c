"""Hands, hair and walls before a painted face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import masks, occlusion, regions
from engine.face import Image, Mask
from engine.occlusion import Occluders
from engine.skin_model import SkinModel, patches
from tests.painted_face import UNIT_LANDMARKS, portrait

SIZE = 128
POINTS = UNIT_LANDMARKS * SIZE - 0.5
FACE = portrait(SIZE, SIZE, POINTS.astype(np.float32))
HULL = masks.hull(POINTS, SIZE) > 0.5


def skin_of(image: Image) -> SkinModel:
    model = SkinModel()
    model.learn(image, patches(POINTS, SIZE))
    return model


def watched(*pictures: Image, frames: int = 8) -> Mask:
    """What is found after each picture was shown for some frames."""
    occluders, found = Occluders(), np.zeros((SIZE, SIZE), np.float32)
    for picture in pictures:
        for _ in range(frames):
            found = occluders(picture, POINTS, skin_of(picture))
    return found


def with_hand(image: Image) -> Image:
    covered = image.copy()
    cv2.ellipse(covered, (64, 118), (20, 40), 0.0, 0.0, 360.0, (150, 175, 230), cv2.FILLED)
    return covered


def test_nothing_covers_a_plain_face() -> None:
    found = watched(FACE)
    assert found.shape == (SIZE, SIZE)
    assert found.dtype == np.float32
    assert not found.any()


def test_a_hand_that_moves_in_is_found_and_forgotten_when_it_leaves() -> None:
    found = watched(FACE, with_hand(FACE))
    assert found[95, 64] > 0.9
    assert found[60, 64] == 0.0
    assert watched(FACE, with_hand(FACE), FACE).max() < 0.1


def test_what_was_there_from_the_start_is_the_face() -> None:
    assert watched(with_hand(FACE), frames=20).max() < 0.1


def test_a_hand_is_still_found_after_seconds() -> None:
    occluders = Occluders()
    skin = skin_of(FACE)
    for _ in range(10):
        occluders(FACE, POINTS, skin)
    for _ in range(50):
        found = occluders(with_hand(FACE), POINTS, skin)
    assert found[95, 64] > 0.9


def test_a_lamp_that_is_switched_on_covers_nothing() -> None:
    assert not watched((FACE * 0.6).astype(np.uint8), FACE)[HULL].any()


def test_an_opening_mouth_is_no_hand() -> None:
    speaking = FACE.copy()
    cv2.ellipse(speaking, (64, 82), (14, 9), 0.0, 0.0, 360.0, (10, 10, 30), cv2.FILLED)
    assert not watched(FACE, speaking).any()


def test_hair_over_the_forehead_is_found_and_the_brows_are_kept() -> None:
    hair = FACE.copy()
    hair[: SIZE * 17 // 100] = (20, 22, 25)
    found = watched(hair)
    assert found[SIZE * 13 // 100, 64] > 0.9
    brows = np.concatenate([regions.RIGHT_BROW, regions.LEFT_BROW])
    inside = masks.inner_face(POINTS, SIZE, 0.0) > 0.5
    assert not found[inside].any()
    assert inside[POINTS[brows].astype(int)[:, 1], POINTS[brows].astype(int)[:, 0]].any()


def test_a_beard_and_dark_glasses_are_no_occluders() -> None:
    bearded = FACE.copy()
    below = HULL.copy()
    below[: SIZE * 56 // 100] = False
    bearded[below] = (25, 30, 40)
    cv2.rectangle(bearded, (34, 36), (94, 50), (15, 15, 15), cv2.FILLED)
    assert not watched(bearded).any()


def test_a_face_half_in_the_dark_is_not_cut() -> None:
    dark = FACE.copy()
    dark[:, : SIZE // 2] = dark[:, : SIZE // 2] // 4
    assert not watched(dark)[HULL].any()


def test_between_two_looks_the_last_one_stays() -> None:
    occluders = Occluders()
    skin = skin_of(FACE)
    first = occluders(FACE, POINTS, skin)
    for _ in range(occlusion.INTERVAL - 1):
        assert np.array_equal(occluders(with_hand(FACE), POINTS, skin), first)


@pytest.mark.parametrize("scale", [0.0, 0.05, 40.0])
def test_odd_landmarks(scale: float) -> None:
    occluders = Occluders()
    for _ in range(4):
        found = occluders(with_hand(FACE), POINTS * scale, SkinModel())
        assert np.isfinite(found).all()
