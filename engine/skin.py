"""Skin or not, from one pixel's color alone.

Fixed rules know nothing of neighbors, reject part of mankind and accept wood and red hair, so they
shape a mask where a face is known to be and never find one. `python -m benchmarks fairness`
says whom they fail; `engine.skin_model` learns one person's own skin instead.

All comparisons are exact: no color is accepted or rejected by rounding.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.errors import EngineError
from engine.face import Image

SkinRule: TypeAlias = Literal["kovac", "daylight", "hsv", "ycrcb"]
SKIN_RULES: tuple[SkinRule, ...] = get_args(SkinRule)
"""`kovac`: daylight or flashlight, the RGB rule of J. Kovac, P. Peer and F. Solina, "Human skin
color clustering for face detection", EUROCON 2003.

`daylight`: R > G and R > B and |R - G| > 15, and then either daylight's or flashlight's
bounds; as flashlight makes R and G alike, its branch is never reached and 3,295,360 of all
2^24 colors remain, against 3,353,770.

`hsv`: hue 0 to 50 degrees and saturation 0.23 to 0.68, as in K. Sobottka and I. Pitas,
"Segmentation and tracking of faces in color images", FG 1996. No bound on brightness.

`ycrcb`: Cr 133 to 173 and Cb 77 to 127, as in D. Chai and K. N. Ngan, "Face segmentation
using skin-color map in videophone applications", IEEE CSVT 9(4), 1999; full-range BT.601 in
OpenCV's integers, so that it equals `cv2.cvtColor` with `cv2.inRange`."""


# Flat uint8 buffers with a constant stride of 3, `&` instead of `and`, and no arithmetic
# wider than a byte: this is what lets LLVM make vector code of it. A difference is only
# taken of a larger and a smaller value, so nothing wraps. `max - min > 15` is not tested:
# it follows from |R - G| > 15.
@compiled
def _daylight(bgr: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    for i in range(mask.size):
        b, g, r = bgr[3 * i], bgr[3 * i + 1], bgr[3 * i + 2]
        red_green = np.uint8(max(r, g) - min(r, g))
        reddish = (r > g) & (r > b) & (red_green > 15)
        day = (r > 95) & (g > 40) & (b > 20)
        flash = (r > 220) & (g > 210) & (b > 170)
        mask[i] = np.uint8(255) * np.uint8(reddish & (day | flash))


@compiled
def _kovac(bgr: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    for i in range(mask.size):
        b, g, r = bgr[3 * i], bgr[3 * i + 1], bgr[3 * i + 2]
        red_green = np.uint8(max(r, g) - min(r, g))
        day = (r > g) & (r > b) & (red_green > 15) & (r > 95) & (g > 40) & (b > 20)
        flash = (r > b) & (g > b) & (red_green <= 15) & (r > 220) & (g > 210) & (b > 170)
        mask[i] = np.uint8(255) * np.uint8(day | flash)


# With hue within 0 to 60 degrees R is the largest and B the smallest: hue is
# 60 (G - B) / (R - B) and saturation is (R - B) / R. Both are compared multiplied out, and
# 100 * 255 still fits 16 bits.
@compiled
def _hsv(bgr: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    for i in range(mask.size):
        b, g, r = bgr[3 * i], bgr[3 * i + 1], bgr[3 * i + 2]
        spread = np.uint16(r) - np.uint16(b)
        hue = np.uint16(np.uint16(6) * (np.uint16(g) - np.uint16(b)))
        hue_limit = np.uint16(np.uint16(5) * spread)
        saturation = np.uint16(np.uint16(100) * spread)
        least = np.uint16(np.uint16(23) * np.uint16(r))
        most = np.uint16(np.uint16(68) * np.uint16(r))
        ordered = (r > b) & (g >= b) & (r >= g)
        inside = (hue <= hue_limit) & (saturation >= least) & (saturation <= most)
        mask[i] = np.uint8(255) * np.uint8(ordered & inside)


# Cr - 128 is (11682 (R - Y) + 2^13) >> 14 and Cb - 128 is (9241 (B - Y) + 2^13) >> 14. Both grow
# with the difference, so Cr 133 to 173 is R - Y 7 to 63, and Cb 77 to 127 is B - Y -91 to -1.
# Y is a sum >> 14, so both are compared multiplied by 2^14, too. No number reaches 2^24:
# float32 holds all of them exactly, and vector units multiply floats faster than 32-bit
# integers.
@compiled
def _ycrcb(bgr: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    one = np.float32(1 << 14)
    for i in range(mask.size):
        b, g, r = np.float32(bgr[3 * i]), np.float32(bgr[3 * i + 1]), np.float32(bgr[3 * i + 2])
        y = np.float32(1868) * b + np.float32(9617) * g + np.float32(4899) * r + np.float32(8192)
        red = y - one * r
        blue = y - one * b
        reddish = (red < np.float32(-6) * one) & (red >= np.float32(-63) * one)
        yellowish = (blue >= one) & (blue < np.float32(92) * one)
        mask[i] = np.uint8(255) * np.uint8(reddish & yellowish)


_LOOPS = {"kovac": _kovac, "daylight": _daylight, "hsv": _hsv, "ycrcb": _ycrcb}


def skin_mask(image: Image, rule: SkinRule = "kovac") -> NDArray[np.uint8]:
    """Mark the pixels whose color a skin rule accepts.

    Args:
        image: (H, W, 3) uint8 BGR, not changed; any size including 0, any strides.
        rule: one of `SKIN_RULES`.

    Returns:
        (H, W) uint8, 255 where accepted, else 0; a new array.

    Raises:
        EngineError: not such an image, or no such rule.
    """
    if rule not in _LOOPS:
        raise EngineError(f"skin rule {rule!r} does not exist; choose one of {SKIN_RULES}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise EngineError(
            f"the skin rule got {image.dtype} {image.shape}; expected a uint8 BGR (H, W, 3) image"
        )
    mask = np.empty(image.shape[:2], np.uint8)
    _LOOPS[rule](np.ascontiguousarray(image).reshape(-1), mask.reshape(-1))
    return mask


def warm_up() -> None:
    """Compile or load all rules now, so that the first frame does not pay for it."""
    for rule in SKIN_RULES:
        skin_mask(np.zeros((1, 1, 3), np.uint8), rule)
