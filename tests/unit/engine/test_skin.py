"""The skin rules, against their published table and over all 2^24 colors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.skin import SKIN_RULES, SkinRule, skin_mask, warm_up


def reference(bgr: NDArray[np.uint8]) -> dict[str, NDArray[np.bool_]]:
    """Both rules in plain NumPy, as sets of conditions."""
    b, g, r = np.moveaxis(bgr.astype(np.int16), -1, 0)
    spread = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)
    first = (r > g) & (r > b) & (np.abs(r - g) > 15)
    second = (r > 95) & (g > 40) & (b > 20) & (spread > 15)
    third = (r > 220) & (g > 210) & (b > 170)
    lateral = third & (np.abs(r - g) <= 15) & (r > b) & (g > b)
    return {
        "daylight": (first & second) | (first & ~second & third),
        "kovac": (first & second) | lateral,
    }


@pytest.fixture(scope="module")
def cube() -> NDArray[np.uint8]:
    """All colors once, (4096, 4096, 3): the index is B, G, R in 24 bits."""
    index = np.arange(1 << 24, dtype="<u4")
    return np.ascontiguousarray(index.view(np.uint8).reshape(-1, 4)[:, 2::-1]).reshape(
        4096, 4096, 3
    )


@pytest.mark.parametrize(("rule", "accepted"), [("daylight", 3_295_360), ("kovac", 3_353_770)])
def test_number_of_accepted_colors(cube: NDArray[np.uint8], rule: SkinRule, accepted: int) -> None:
    mask = skin_mask(cube, rule)
    assert np.count_nonzero(mask) == accepted
    assert np.count_nonzero(mask == 255) == accepted


def test_agrees_with_the_reference_everywhere(cube: NDArray[np.uint8]) -> None:
    masks = {rule: skin_mask(cube, rule) for rule in SKIN_RULES}
    for start in range(0, 4096, 128):
        part = slice(start, start + 128)
        for rule, expected in reference(cube[part]).items():
            assert np.array_equal(masks[rule][part] == 255, expected)


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
        skin_mask(np.zeros((1, 1, 3), np.uint8), "hsv")  # type: ignore[arg-type]  # on purpose


def test_warm_up_compiles_both_rules() -> None:
    warm_up()
