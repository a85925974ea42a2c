"""Color and light of a swapped face against those of the frame's face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import color, masks, regions
from engine.color import ColorMatch
from engine.errors import EngineError
from engine.face import Image
from engine.moments import Statistics
from tests.painted_face import UNIT_LANDMARKS, portrait, smooth_picture

SIZE = 128
POINTS = UNIT_LANDMARKS * SIZE - 0.5
MASK = masks.soften(masks.hull(POINTS, SIZE), 2.0, 10.0)
WEIGHTS = color.skin_weights(MASK, POINTS)
LIGHT_SKIN = portrait(SIZE, SIZE, POINTS.astype(np.float32), (140, 170, 215))
DARK_SKIN = portrait(SIZE, SIZE, POINTS.astype(np.float32), (34, 56, 91))
COLORS = ["avg", "lab", "lct", "mkl", "idt", "sot"]
METHODS = [*COLORS, "light", "lab+light", "idt+light"]


def textured(image: Image, sigma: float, seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).normal(0.0, sigma, image.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 3.0) * 8.0
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def match(text: str, swap: Image, frame: Image, rate: float = 1.0) -> color.Float:
    return ColorMatch(color.parse_transfers(text)).apply(swap, frame, WEIGHTS, rate)


def flat(*bgr: int) -> Image:
    return np.full((SIZE, SIZE, 3), bgr, np.uint8)


def skin_mean(crop: Image | color.Float) -> color.Float:
    inside = (cv2.resize(WEIGHTS, (SIZE, SIZE)) > 0.5) & (MASK > 0.9)
    return np.asarray(crop[inside].mean(axis=0, dtype=np.float64), np.float32)


@pytest.mark.parametrize("text", METHODS)
def test_equal_faces_stay_as_they_are(text: str) -> None:
    picture = smooth_picture(SIZE, SIZE)
    assert np.abs(match(text, picture, picture) - picture).max() < 0.51


def test_none_changes_nothing() -> None:
    assert np.array_equal(match("none", LIGHT_SKIN, DARK_SKIN), LIGHT_SKIN)


@pytest.mark.parametrize("text", [*COLORS, "avg+light", "lab+light", "sot+light"])
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


@pytest.mark.parametrize("text", COLORS[1:])
def test_contrast_follows_the_frame_within_limits(text: str) -> None:
    swap = textured(LIGHT_SKIN, 4.0)

    def contrast(crop: Image | color.Float) -> float:
        return float(Statistics.of(color._grid(np.asarray(crop, np.uint8)), WEIGHTS).std[0])

    calm = contrast(match(text, swap, textured(LIGHT_SKIN, 2.5, seed=1)))
    rich = contrast(match(text, swap, textured(LIGHT_SKIN, 40.0, seed=1)))
    assert calm < 0.8 * contrast(swap)
    assert contrast(swap) < rich < 1.3 * contrast(swap)


@pytest.mark.parametrize("text", ["lab", "lab+light", "lct", "mkl", "idt", "sot"])
def test_a_gray_picture_gets_a_gray_face(text: str) -> None:
    gray = textured(portrait(SIZE, SIZE, POINTS.astype(np.float32), (120, 120, 120)), 5.0)
    gray = np.repeat(gray[:, :, 1:2], 3, axis=2)
    swap = textured(LIGHT_SKIN, 10.0, seed=1)
    swap[40:45, 40:50] = (200, 90, 30)  # a blue eye
    assert np.ptp(match(text, swap, gray), axis=2).max() < 0.05


@pytest.mark.parametrize("text", METHODS)
@pytest.mark.parametrize("swap", [flat(0, 0, 0), flat(90, 90, 90), flat(255, 255, 255), LIGHT_SKIN])
@pytest.mark.parametrize("frame", [flat(0, 0, 0), flat(255, 255, 255), flat(0, 0, 255), DARK_SKIN])
def test_black_gray_and_blown_out_pictures_are_defined(
    text: str, swap: Image, frame: Image
) -> None:
    corrected = match(text, swap, frame)
    assert np.isfinite(corrected).all()
    assert corrected.min() >= 0.0
    assert corrected.max() <= 255.0
    if text in COLORS:
        assert np.abs(skin_mean(corrected) - skin_mean(frame)).max() < 6.0


@pytest.mark.parametrize("text", METHODS)
@pytest.mark.parametrize("level", [np.nan, 0.0, -1.0])
def test_weights_that_say_nothing_count_as_everything(text: str, level: float) -> None:
    nothing = np.full((64, 64), level, np.float32)
    steps = color.parse_transfers(text)
    made = ColorMatch(steps).apply(LIGHT_SKIN, DARK_SKIN, nothing, 1.0)
    everything = ColorMatch(steps).apply(LIGHT_SKIN, DARK_SKIN, np.ones_like(nothing), 1.0)
    assert np.array_equal(made, everything)


@pytest.mark.parametrize("text", METHODS)
@pytest.mark.parametrize("size", [1, 5, 63, 100, 192])
def test_crops_of_any_size(text: str, size: int) -> None:
    swap = cv2.resize(LIGHT_SKIN, (size, size), interpolation=cv2.INTER_AREA)
    assert match(text, np.asarray(swap, np.uint8), DARK_SKIN).shape == (size, size, 3)


@pytest.mark.parametrize("text", ["mkl", "lct", "idt", "sot"])
def test_colors_that_vary_together_in_the_frame_do_so_in_the_result(text: str) -> None:
    """Where brighter is redder in the frame, it becomes so; axis by axis it would not."""

    def slope(crop: Image | color.Float) -> float:
        found = Statistics.of(color._grid(np.asarray(crop, np.uint8)), WEIGHTS).covariance
        return float(found[0, 2] / found[0, 0])

    lightness, redness = (
        textured(flat(128, 128, 128), sigma, seed)[:, :, :1] - 128.0
        for sigma, seed in ((6.0, 3), (4.0, 4))
    )
    skin, red = np.array([120.0, 140.0, 180.0]), np.array([-1.0, -0.5, 1.0])
    swap = np.clip(skin + lightness + redness * red, 0, 255).astype(np.uint8)
    frame = np.clip(skin + lightness + 0.6 * lightness * red, 0, 255).astype(np.uint8)
    wanted = slope(frame)
    assert wanted > 0.4
    assert abs(slope(swap)) < 0.3 * wanted
    assert slope(match(text, swap, frame)) > 0.6 * wanted
    assert slope(match("lab", swap, frame)) < 0.3 * wanted


def test_the_method_may_change_without_losing_what_was_measured() -> None:
    colors = ColorMatch(("avg",))
    for _ in range(3):
        colors.apply(LIGHT_SKIN, LIGHT_SKIN, WEIGHTS, 1.0)
    colors.steps = ("mkl",)
    after = skin_mean(colors.apply(LIGHT_SKIN, DARK_SKIN, WEIGHTS, 0.1))
    fresh = skin_mean(match("mkl", LIGHT_SKIN, DARK_SKIN))
    assert after.mean() > 0.7 * LIGHT_SKIN[64, 64].mean() > 1.5 * fresh.mean()


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


@pytest.mark.parametrize("text", METHODS)
def test_a_sudden_change_is_taken_over_gradually(text: str) -> None:
    colors = ColorMatch(color.parse_transfers(text))
    start = skin_mean(colors.apply(LIGHT_SKIN, LIGHT_SKIN, WEIGHTS, 1.0)).mean()
    step = skin_mean(colors.apply(LIGHT_SKIN, DARK_SKIN, WEIGHTS, 0.1)).mean()
    for _ in range(20):
        later = colors.apply(LIGHT_SKIN, DARK_SKIN, WEIGHTS, 0.3)
    end = skin_mean(later).mean()
    assert end < step < start
    assert start - step < 0.25 * (start - end)
    assert abs(end - skin_mean(match(text, LIGHT_SKIN, DARK_SKIN)).mean()) < 1.5


def test_weights_of_an_empty_mask_are_uniform() -> None:
    assert (color.skin_weights(np.zeros((SIZE, SIZE), np.float32), POINTS) == 1.0).all()


@pytest.mark.parametrize(
    "text", ["", "LAB", "reinhard", "lab+", "lab+avg", "none+light", "light+mkl"]
)
def test_unknown_methods_name_the_known_ones(text: str) -> None:
    with pytest.raises(EngineError, match=r"avg, lab, lct, mkl, idt, sot.* with \+light"):
        color.parse_transfers(text)


def test_warm_up_compiles_every_loop() -> None:
    for text in METHODS:
        color.warm_up(color.parse_transfers(text))
