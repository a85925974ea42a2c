"""The skin rules, against published tables and over all 2^24 colors."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.skin import SkinRule, skin_mask, warm_up


def reference(bgr: NDArray[np.uint8]) -> dict[SkinRule, NDArray[np.bool_]]:
    """All rules in plain NumPy and OpenCV, as sets of conditions."""
    b, g, r = np.moveaxis(bgr.astype(np.int16), -1, 0)
    spread = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)
    first = (r > g) & (r > b) & (np.abs(r - g) > 15)
    second = (r > 95) & (g > 40) & (b > 20) & (spread > 15)
    third = (r > 220) & (g > 210) & (b > 170)
    lateral = third & (np.abs(r - g) <= 15) & (r > b) & (g > b)
    chroma = cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)
    return {
        "daylight": (first & second) | (first & ~second & third),
        "kovac": (first & second) | lateral,
        "hsv": hue_and_saturation(bgr.astype(np.int32)),
        "ycrcb": cv2.inRange(chroma, (0, 133, 77), (255, 173, 127)) > 0,
    }


def hue_and_saturation(bgr: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Hue 0 to 50 degrees by the hexagon's own cases, saturation in percent."""
    b, g, r = np.moveaxis(bgr, -1, 0)
    largest, spread = bgr.max(axis=2), np.ptp(bgr, axis=2)
    hue = np.select(
        [spread == 0, largest == r, largest == g],
        [0 * r, 60 * (g - b), 60 * (b - r) + 120 * spread],
        60 * (r - g) + 240 * spread,
    )
    hue %= 360 * np.maximum(spread, 1)
    percent = 100 * spread
    saturated = (percent >= 23 * largest) & (percent <= 68 * largest) & (largest > 0)
    return (hue <= 50 * spread) & saturated


@pytest.fixture(scope="module")
def cube() -> NDArray[np.uint8]:
    """All colors once, (4096, 4096, 3), in the order of B, G, R in 24 bits."""
    colors = np.empty((256, 256, 256, 3), np.uint8)
    values = np.arange(256, dtype=np.uint8)
    colors[..., 0] = values[:, None, None]
    colors[..., 1] = values[:, None]
    colors[..., 2] = values
    return colors.reshape(4096, 4096, 3)


@pytest.mark.parametrize(
    ("rule", "accepted"),
    [("daylight", 3_295_360), ("kovac", 3_353_770), ("hsv", 957_616), ("ycrcb", 1_530_922)],
)
def test_number_of_accepted_colors(cube: NDArray[np.uint8], rule: SkinRule, accepted: int) -> None:
    mask = skin_mask(cube, rule)
    assert np.count_nonzero(mask) == accepted
    assert np.count_nonzero(mask == 255) == accepted


def test_agrees_with_the_reference(cube: NDArray[np.uint8]) -> None:
    # 37 has no factor in common with 256, so every value of every channel is met.
    colors = np.ascontiguousarray(cube.reshape(-1, 1, 3)[::37])
    for rule, expected in reference(colors).items():
        assert np.array_equal(skin_mask(colors, rule) == 255, expected), rule


# R, G, B, daylight, kovac
TABLE = [
    (96, 80, 21, 1, 1),
    (96, 41, 21, 1, 1),
    (95, 60, 40, 0, 0),
    (96, 40, 21, 0, 0),
    (96, 41, 20, 0, 0),
    (96, 81, 21, 0, 0),
    (200, 185, 100, 0, 0),
    (200, 184, 100, 1, 1),
    (230, 214, 180, 1, 1),
    (97, 80, 96, 1, 1),
    (96, 80, 96, 0, 0),
    (230, 215, 180, 0, 1),
    (225, 235, 200, 0, 1),
    (221, 211, 171, 0, 1),
    (255, 250, 240, 0, 1),
    (220, 211, 171, 0, 0),
    (221, 210, 171, 0, 0),
    (221, 211, 170, 0, 0),
    (225, 241, 200, 0, 0),
    (255, 255, 255, 0, 0),
    (240, 230, 230, 0, 0),
    (150, 100, 150, 0, 0),
    (91, 56, 34, 0, 0),
    (60, 40, 30, 0, 0),
    (100, 120, 30, 0, 0),  # |R - G| must not wrap to 236
]


@pytest.mark.parametrize(("r", "g", "b", "daylight", "kovac"), TABLE)
def test_published_table(r: int, g: int, b: int, daylight: int, kovac: int) -> None:
    image = np.array([[[b, g, r]]], np.uint8)
    assert skin_mask(image, "daylight")[0, 0] == 255 * daylight
    assert skin_mask(image, "kovac")[0, 0] == 255 * kovac


# R, G, B, hsv, ycrcb
CHROMA_TABLE = [
    (200, 150, 120, 1, 1),
    (41, 36, 32, 0, 0),  # saturation 0.22, Cr 131: very dark skin
    (96, 65, 52, 1, 1),
    (100, 31, 32, 0, 1),  # G < B: hue is -1
    (100, 32, 32, 1, 1),  # hue 0 and saturation 0.68
    (100, 31, 31, 0, 1),
    (100, 77, 77, 1, 1),  # saturation 0.23
    (100, 78, 78, 0, 1),
    (120, 110, 60, 1, 1),  # hue 50
    (120, 111, 60, 0, 1),
    (0, 0, 0, 0, 0),
    (255, 255, 255, 0, 0),
]


@pytest.mark.parametrize(("r", "g", "b", "hsv", "ycrcb"), CHROMA_TABLE)
def test_edges_of_the_chroma_rules(r: int, g: int, b: int, hsv: int, ycrcb: int) -> None:
    image = np.array([[[b, g, r]]], np.uint8)
    assert skin_mask(image, "hsv")[0, 0] == 255 * hsv
    assert skin_mask(image, "ycrcb")[0, 0] == 255 * ycrcb


def test_strided_and_empty_images() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    view = image[3:33:2, 5:50:3]
    assert np.array_equal(skin_mask(view), skin_mask(view.copy()))
    mirrored = image[:, :, ::-1]
    assert np.array_equal(skin_mask(mirrored), skin_mask(mirrored.copy()))
    assert skin_mask(np.zeros((0, 7, 3), np.uint8)).shape == (0, 7)


def test_input_is_not_changed_and_mask_is_new() -> None:
    image = np.full((4, 4, 3), 120, np.uint8)
    image.flags.writeable = False
    mask = skin_mask(image)
    mask[:] = 9
    assert skin_mask(image).max() == 0


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)],
)
def test_other_arrays_are_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(EngineError, match="expected a uint8 BGR"):
        skin_mask(image)


def test_unknown_rule_names_the_known_ones() -> None:
    with pytest.raises(EngineError, match="kovac"):
        skin_mask(np.zeros((1, 1, 3), np.uint8), "hsl")  # type: ignore[arg-type]  # on purpose


def test_warm_up_compiles_all_rules() -> None:
    warm_up()
