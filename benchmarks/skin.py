"""How fast is a skin rule, against NumPy, OpenCV and the memory that has to be read?

Processor time of one thread for a 720p picture, the best of many rounds in which all ways
take turns, into buffers that exist already. The bound is a copy of the frame: it reads what
a rule reads and writes three bytes a pixel where a mask is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.turns import best_of_turns
from engine.face import Image
from engine.skin import SKIN_RULES, skin_mask

_WIDTH, _HEIGHT = 1280, 720
_Mask = NDArray[np.uint8]
_Way = Callable[[], _Mask]
_Ready = Callable[[Image], _Way]


@click.command()
@click.option("--rounds", default=150, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def skin(rounds: int, file: Path | None) -> None:
    """Every skin rule at 720p on one core: ours, NumPy, OpenCV, a copy of the frame."""
    cv2.setNumThreads(1)
    image = _picture()
    rules: dict[str, dict[str, Any]] = {rule: _measure(rule, image, rounds) for rule in SKIN_RULES}
    result = {
        "question": "processor time of a skin rule at 1280x720 on one core",
        "machine": describe(),
        "bytes_read": image.nbytes,
        "bytes_written": image.nbytes // 3,
        "rules": rules,
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(_markdown(rules))
    click.echo(json.dumps(result))


def _picture() -> Image:
    """Skin and other colors in patches with noise; the rules have no branch to predict."""
    random = np.random.default_rng(0)
    coarse = random.integers(20, 236, (18, 32, 3)).astype(np.uint8)
    smooth = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    noise = random.normal(0.0, 4.0, smooth.shape)
    return np.asarray(np.clip(smooth + noise, 0, 255), np.uint8)


def _measure(rule: str, image: Image, rounds: int) -> dict[str, Any]:
    target = np.empty_like(image)

    def copied() -> _Mask:
        np.copyto(target, image)
        return target

    ways: dict[str, _Way] = {
        "ours": lambda: skin_mask(image, rule),  # type: ignore[arg-type]  # one of SKIN_RULES
        "numpy": lambda: _NUMPY[rule](image),
        "opencv": _OPENCV[rule](image),
        "copy": copied,
    }
    if rule in _NUMPY_REDUCED:
        ways["numpy_reduced"] = lambda: _NUMPY_REDUCED[rule](image)
    masks = {name: way() > 0 for name, way in ways.items() if name != "copy"}
    best_s = best_of_turns(ways, rounds)
    return {
        "ms": {name: round(value * 1e3, 3) for name, value in best_s.items()},
        "times_ours": {name: round(value / best_s["ours"], 1) for name, value in best_s.items()},
        "ours_gb_per_s": round(image.nbytes * 4 / 3 / best_s["ours"] / 1e9, 1),
        "pixels_that_differ": {
            name: int(np.count_nonzero(masks[name] != masks["ours"]))
            for name in masks
            if name != "ours"
        },
    }


def _markdown(rules: dict[str, dict[str, Any]]) -> str:
    rows = [
        "| rule | ours ms | frame copy ms | OpenCV ms | NumPy ms | OpenCV/ours | NumPy/ours |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rule, found in rules.items():
        ms, ratio = found["ms"], found["times_ours"]
        rows.append(
            f"| `{rule}` | {ms['ours']:.2f} | {ms['copy']:.2f} | {ms['opencv']:.2f} | "
            f"{ms['numpy']:.1f} | {ratio['opencv']:.1f} | {ratio['numpy']:.0f} |"
        )
    return "\n".join(rows)


def _planes(image: Image) -> tuple[NDArray[np.int16], ...]:
    b, g, r = (image[:, :, channel].astype(np.int16) for channel in range(3))
    return b, g, r


def _numpy_daylight(image: Image) -> _Mask:
    """Condition for condition as it is published."""
    b, g, r = _planes(image)
    spread = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)
    reddish = (r > g) & (r > b) & (np.abs(r - g) > 15)
    day = (r > 95) & (g > 40) & (b > 20) & (spread > 15)
    flash = (r > 220) & (g > 210) & (b > 170)
    return np.asarray((reddish & day) | (reddish & ~day & flash), np.uint8)


def _numpy_kovac(image: Image) -> _Mask:
    """Condition for condition as it is published."""
    b, g, r = _planes(image)
    spread = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)
    apart = np.abs(r - g)
    day = (r > 95) & (g > 40) & (b > 20) & (spread > 15) & (apart > 15) & (r > g) & (r > b)
    flash = (r > 220) & (g > 210) & (b > 170) & (apart <= 15) & (r > b) & (g > b)
    return np.asarray(day | flash, np.uint8)


def _numpy_daylight_reduced(image: Image) -> _Mask:
    """Without the conditions that follow from others."""
    b, g, r = _planes(image)
    return np.asarray((r - g > 15) & (r > b) & (r > 95) & (g > 40) & (b > 20), np.uint8)


def _numpy_kovac_reduced(image: Image) -> _Mask:
    """Without the conditions that follow from others."""
    b, g, r = _planes(image)
    day = (r - g > 15) & (r > 95) & (g > 40) & (b > 20)
    flash = (np.abs(r - g) <= 15) & (r > 220) & (g > 210) & (b > 170) & (g > b)
    return np.asarray((day | flash) & (r > b), np.uint8)


def _numpy_hsv(image: Image) -> _Mask:
    b, g, r = _planes(image)
    spread = r - b
    hue = (g >= b) & (r >= g) & (6 * (g - b) <= 5 * spread)
    saturation = (100 * spread >= 23 * r) & (100 * spread <= 68 * r)
    return np.asarray(hue & saturation & (spread > 0), np.uint8)


def _numpy_ycrcb(image: Image) -> _Mask:
    b, g, r = (image[:, :, channel].astype(np.int32) for channel in range(3))
    y = (1868 * b + 9617 * g + 4899 * r + 8192) >> 14
    cr = (11682 * (r - y) + 8192) >> 14
    cb = (9241 * (b - y) + 8192) >> 14
    return np.asarray((cr >= 5) & (cr <= 45) & (cb >= -51) & (cb <= -1), np.uint8)


_NUMPY = {
    "kovac": _numpy_kovac,
    "daylight": _numpy_daylight,
    "hsv": _numpy_hsv,
    "ycrcb": _numpy_ycrcb,
}
_NUMPY_REDUCED = {
    "kovac": _numpy_kovac_reduced,
    "daylight": _numpy_daylight_reduced,
}


# The fastest formulations found: planes once, every comparison one call into a buffer that
# exists. A saturating difference above 15 says that R > G, too, and thresholds of planes cost a
# quarter of an inRange of the picture.
def _opencv_daylight(image: Image) -> _Way:
    planes = [np.empty(image.shape[:2], np.uint8) for _ in range(3)]
    other, mask = (np.empty(image.shape[:2], np.uint8) for _ in range(2))

    def way() -> _Mask:
        b, g, r = cv2.split(image, planes)
        cv2.subtract(r, g, mask)
        cv2.threshold(mask, 15, 255, cv2.THRESH_BINARY, mask)
        cv2.compare(r, b, cv2.CMP_GT, other)
        cv2.bitwise_and(mask, other, mask)
        for plane, least in ((b, 20), (g, 40), (r, 95)):
            cv2.threshold(plane, least, 255, cv2.THRESH_BINARY, other)
            cv2.bitwise_and(mask, other, mask)
        return mask

    return way


def _opencv_kovac(image: Image) -> _Way:
    planes = [np.empty(image.shape[:2], np.uint8) for _ in range(3)]
    apart, other, day, flash = (np.empty(image.shape[:2], np.uint8) for _ in range(4))

    def way() -> _Mask:
        b, g, r = cv2.split(image, planes)
        cv2.absdiff(r, g, apart)
        cv2.threshold(apart, 15, 255, cv2.THRESH_BINARY, apart)
        cv2.compare(r, g, cv2.CMP_GT, day)
        cv2.bitwise_and(day, apart, day)
        for plane, least in ((b, 20), (g, 40), (r, 95)):
            cv2.threshold(plane, least, 255, cv2.THRESH_BINARY, other)
            cv2.bitwise_and(day, other, day)
        cv2.compare(g, b, cv2.CMP_GT, flash)
        for plane, least in ((b, 170), (g, 210), (r, 220)):
            cv2.threshold(plane, least, 255, cv2.THRESH_BINARY, other)
            cv2.bitwise_and(flash, other, flash)
        cv2.bitwise_not(apart, apart)
        cv2.bitwise_and(flash, apart, flash)
        cv2.bitwise_or(day, flash, day)
        cv2.compare(r, b, cv2.CMP_GT, other)
        return np.asarray(cv2.bitwise_and(day, other, day))

    return way


def _opencv_range(conversion: int, low: tuple[int, ...], high: tuple[int, ...]) -> _Ready:
    """The rules that are a box in another color space."""

    def ready(image: Image) -> _Way:
        converted, mask = np.empty_like(image), np.empty(image.shape[:2], np.uint8)

        def way() -> _Mask:
            cv2.cvtColor(image, conversion, converted)
            return np.asarray(cv2.inRange(converted, low, high, mask))

        return way

    return ready


_OPENCV = {
    "kovac": _opencv_kovac,
    "daylight": _opencv_daylight,
    # 8-bit hue and saturation are rounded, so some pixels fall to the other side.
    "hsv": _opencv_range(cv2.COLOR_BGR2HSV, (0, 59, 0, 0), (25, 173, 255, 0)),
    "ycrcb": _opencv_range(cv2.COLOR_BGR2YCrCb, (0, 133, 77, 0), (255, 173, 127, 0)),
}
