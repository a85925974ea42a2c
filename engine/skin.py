"""Skin or not, from one pixel's color alone.

The explicit RGB rules of Kovac, Peer and Solina ("Human skin color clustering for face
detection", EUROCON 2003). They know nothing of neighbors, reject dark skin (R > 95) and
accept wood and red hair, so they shape a mask where a face is known to be and never find
one.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.errors import EngineError
from engine.face import Image

SkinRule: TypeAlias = Literal["kovac", "daylight"]
SKIN_RULES: tuple[SkinRule, ...] = get_args(SkinRule)
"""`kovac`: daylight or flashlight, the whole rule. `daylight`: R > G and R > B and
|R - G| > 15, and then either daylight's or flashlight's bounds; as flashlight light makes R
and G alike, its branch is never reached and 3,295,360 of all 2^24 colors remain, against
3,353,770."""


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


_LOOPS = {"kovac": _kovac, "daylight": _daylight}


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
    """Compile or load both rules now, so that the first frame does not pay for it."""
    for rule in SKIN_RULES:
        skin_mask(np.zeros((1, 1, 3), np.uint8), rule)
