"""Color and light of a swapped face against those of the frame's face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import color, masks, regions
from engine.color import ColorMatch, Statistics
from engine.errors import EngineError
from engine.face import Image
from tests.painted_face import UNIT_LANDMARKS, portrait, smooth_picture

SIZE = 128
POINTS = UNIT_LANDMARKS * SIZE - 0.5
MASK = masks.soften(masks.hull(POINTS, SIZE), 2.0, 10.0)
WEIGHTS = color.skin_weights(MASK, POINTS)
LIGHT_SKIN = portrait(SIZE, SIZE, POINTS.astype(np.float32), (140, 170, 215))
DARK_SKIN = portrait(SIZE, SIZE, POINTS.astype(np.float32), (34, 56, 91))
METHODS = ["avg", "lab", "light", "avg+light", "lab+light"]


def textured(image: Image, sigma: float, seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).normal(0.0, sigma, image.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 3.0) * 8.0
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def match(text: str, swap: Image, frame: Image, rate: float = 1.0) -> color.Float:
    return ColorMatch(color.parse_transfers(text)).apply(swap, frame, WEIGHTS, rate)


def skin_mean(crop: Image | color.Float) -> color.Float:
    inside = (cv2.resize(WEIGHTS, (SIZE, SIZE)) > 0.5) & (MASK > 0.9)
    return np.asarray(crop[inside].mean(axis=0, dtype=np.float64), np.float32)


@pytest.mark.parametrize("text", METHODS)
def test_equal_faces_stay_as_they_are(text: str) -> None:
    picture = smooth_picture(SIZE, SIZE)
    assert np.abs(match(text, picture, picture) - picture).max() < 0.51


def test_none_changes_nothing() -> None:
    assert np.array_equal(match("none", LIGHT_SKIN, DARK_SKIN), LIGHT_SKIN)


@pytest.mark.parametrize("text", ["avg", "lab", "avg+light", "lab+light"])
def test_mean_color_of_the_skin_becomes_the_frames(text: str) -> None:
    swap, frame = textured(LIGHT_SKIN, 4.0), textured(DARK_SKIN, 2.0, seed=1)
    corrected = match(text, swap, frame)
    assert np.abs(skin_mean(corrected) - skin_mean(frame)).max() < 1.5


def test_background_hair_eyes_and_lips_do_not_count() -> None:
    frame = DARK_SKIN.copy()
    frame[MASK == 0.0] = (255, 0, 255)
    for part in (regions.RIGHT_EYE, regions.LIPS):
        outline = np.rint(cv2.convexHull(POINTS[part].astype(np.float32))).astype(np.int32)
        cv2.fillConvexPoly(frame, outline, (0, 255, 0))
    assert np.abs(match("avg", LIGHT_SKIN, frame) - match("avg", LIGHT_SKIN, DARK_SKIN)).max() < 1


def test_a_dark_strand_over_the_forehead_does_not_count() -> None:
    frame = textured(LIGHT_SKIN, 1.0)
    with_hair = frame.copy()
    with_hair[: SIZE * 22 // 100] = 5
    assert np.abs(skin_mean(match("avg", DARK_SKIN, with_hair)) - skin_mean(frame)).max() < 4.0


def test_contrast_follows_the_frame_within_limits() -> None:
    swap = textured(LIGHT_SKIN, 4.0)
    flat = match("lab", swap, textured(LIGHT_SKIN, 2.5, seed=1))
    rich = match("lab", swap, textured(LIGHT_SKIN, 40.0, seed=1))

    def contrast(crop: Image | color.Float) -> float:
        return float(Statistics.of(color._grid(np.asarray(crop, np.uint8)), WEIGHTS).std[0])

    assert contrast(flat) < 0.8 * contrast(swap)
    assert contrast(rich) < 1.25 * contrast(swap)


@pytest.mark.parametrize("text", ["lab", "lab+light"])
def test_a_gray_picture_gets_a_gray_face(text: str) -> None:
    gray = textured(portrait(SIZE, SIZE, POINTS.astype(np.float32), (120, 120, 120)), 5.0)
    gray = np.repeat(gray[:, :, 1:2], 3, axis=2)
    swap = textured(LIGHT_SKIN, 10.0, seed=1)
    swap[40:45, 40:50] = (200, 90, 30)  # a blue eye
    assert np.ptp(match(text, swap, gray), axis=2).max() < 0.01


@pytest.mark.parametrize("text", METHODS)
def test_a_constant_swap_gives_a_finite_picture(text: str) -> None:
    for level in (0, 128, 255):
        corrected = match(text, np.full((64, 64, 3), level, np.uint8), textured(DARK_SKIN, 5.0))
        assert np.isfinite(corrected).all()
        assert corrected.min() >= 0.0
        assert corrected.max() <= 255.0


def test_light_follows_a_ramp_from_side_to_side() -> None:
    ramp = np.linspace(0.6, 1.4, SIZE, dtype=np.float32)[None, :, None]
    base = portrait(SIZE, SIZE, POINTS.astype(np.float32), (90, 110, 140))
    frame = (base * ramp).astype(np.uint8)
    for text in ("light", "lab+light"):
        corrected = match(text, base, frame)
        wanted, got = (
            cv2.GaussianBlur(c.astype(np.float32).mean(axis=2), (0, 0), 8)[MASK > 0.9]
            for c in (frame, corrected)
        )
        assert np.corrcoef(wanted, got)[0, 1] > 0.95
        assert np.abs(wanted - got).mean() < 5.0


def test_light_is_limited() -> None:
    frame = LIGHT_SKIN.copy()
    frame[:, : SIZE // 2] = 0
    frame_crop, swap_crop = color._grid(frame), color._grid(LIGHT_SKIN)
    light = color.log_light(frame_crop, swap_crop, WEIGHTS, WEIGHTS)
    assert np.ptp(light) <= 2 * np.log(color.MAX_RELIGHT) + 1e-5
    assert np.abs(light).max() <= np.log(color.MAX_RELIGHT * color.MAX_EXPOSURE) + 1e-5


@pytest.mark.parametrize("text", METHODS)
def test_a_sudden_change_is_taken_over_gradually(text: str) -> None:
    colors = ColorMatch(color.parse_transfers(text))
    first = colors.apply(LIGHT_SKIN, LIGHT_SKIN, WEIGHTS, 1.0)
    second = colors.apply(LIGHT_SKIN, DARK_SKIN, WEIGHTS, 0.1)
    later = second
    for _ in range(60):
        later = colors.apply(LIGHT_SKIN, DARK_SKIN, WEIGHTS, 0.1)
    start, step, end = (skin_mean(c).mean() for c in (first, second, later))
    assert end < step < start
    assert start - step < 0.25 * (start - end)
    assert abs(end - skin_mean(match(text, LIGHT_SKIN, DARK_SKIN)).mean()) < 1.5


def test_weights_of_an_empty_mask_are_uniform() -> None:
    assert (color.skin_weights(np.zeros((SIZE, SIZE), np.float32), POINTS) == 1.0).all()


@pytest.mark.parametrize("text", ["", "LAB", "reinhard", "lab+", "lab+avg", "none+light"])
def test_unknown_methods_name_the_known_ones(text: str) -> None:
    with pytest.raises(EngineError, match=r"lab\+light|lab, light"):
        color.parse_transfers(text)
