"""The skin rule as array expressions, against ours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.turns import best_of_turns
from engine.face import Image
from engine.skin import skin_mask

_ROUNDS = 15


def numpy_kovac(image: Image) -> NDArray[np.uint8]:
    """The rule `kovac` written with NumPy, wide enough that no difference wraps."""
    blue, green, red = (image[..., channel].astype(np.int16) for channel in range(3))
    difference = np.abs(red - green)
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    day = (red > 95) & (green > 40) & (blue > 20) & (high - low > 15)
    day &= (difference > 15) & (red > green) & (red > blue)
    flash = (red > 220) & (green > 210) & (blue > 170)
    flash &= (difference <= 15) & (red > blue) & (green > blue)
    return np.where(day | flash, np.uint8(255), np.uint8(0))


def compare(picture: Image) -> dict[str, dict[str, float]]:
    """Processor milliseconds of both for a 720p frame and for a crop of 256 px.

    Raises:
        RuntimeError: they do not agree in every pixel.
    """
    result = {}
    for name, size in {"1280x720": (1280, 720), "256x256": (256, 256)}.items():
        image = np.asarray(cv2.resize(picture, size), np.uint8)
        if not np.array_equal(numpy_kovac(image), skin_mask(image)):
            raise RuntimeError("the two skin rules differ")
        best_s = best_of_turns(
            {"numpy": lambda: numpy_kovac(image), "ours": lambda: skin_mask(image)},  # noqa: B023 - called at once
            _ROUNDS,
        )
        result[name] = {
            "numpy_ms": best_s["numpy"] * 1000,
            "ours_ms": best_s["ours"] * 1000,
            "ratio": best_s["numpy"] / best_s["ours"],
        }
    return result
