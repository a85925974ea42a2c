"""Multi-band blending: coarse differences fade out over a long way, fine ones over a short one.

Source of the method: P. J. Burt and E. H. Adelson, "A multiresolution spline with application
to image mosaics", ACM Transactions on Graphics 2(4), 1983. As both pictures' pyramids are
sums, one pyramid of their difference does the work of two; a window keeps the coarse bands,
which reach far, inside of the mask, and what lies outside of it out of them.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from engine.compiled import compiled
from engine.face import Image
from engine.paste import Float, Patch

MAX_LEVELS = 5
_COARSEST = 12  # least side in pixels of the coarsest band
_EDGE = np.float32(0.5)  # of the mask's slope, where the bands change over
_EDGE_SLOPE = np.float32(8)
_WINDOW_SLOPE = np.float32(4)  # the window is open where the mask is above the inverse of this


def levels(width: int, height: int) -> int:
    """How many times a region of this size is halved: 4 for a face of 256 pixels."""
    least = min(width, height)
    return min(max(int(math.log2(max(least / _COARSEST, 1.0))), 0), MAX_LEVELS)


def blended(patch: Patch, frame: Image) -> Patch:
    """Mix a patch with the frame band by band.

    Args:
        patch: from `paste.place`, not changed.
        frame: (H, W, 3) uint8 BGR, not changed; only the patch's region is read.

    Returns:
        A patch in the same place whose colors are already mixed with the frame's, and whose
        alpha is 0 where it was 0.
    """
    height, width = patch.alpha.shape
    bands, window = np.empty_like(patch.pixels), np.empty((height, width), np.float32)
    _compare(patch.pixels, patch.region(frame), bands, window)
    pixels = _mixed(bands, levels(width, height))
    _finish(pixels, patch.region(frame), window)
    return Patch(pixels, patch.left, patch.top)


@compiled
def _compare(pixels: Float, frame: Image, bands: Float, window: Float) -> None:
    """Difference of both pictures within a window, and where the bands change over."""
    zero, one = np.float32(0), np.float32(1)
    for y in range(window.shape[0]):
        for x in range(window.shape[1]):
            alpha = pixels[y, x, 3]
            opened = min(max(alpha * _WINDOW_SLOPE, zero), one)
            opened *= opened * (np.float32(3) - np.float32(2) * opened)
            window[y, x] = opened
            for c in range(3):
                # What lies outside of the mask, hair or background, must not flow in.
                bands[y, x, c] = opened * (pixels[y, x, c] - frame[y, x, c])
            bands[y, x, 3] = min(max((alpha - _EDGE) * _EDGE_SLOPE + _EDGE, zero), one)


@compiled
def _finish(pixels: Float, frame: Image, window: Float) -> None:
    for y in range(window.shape[0]):
        for x in range(window.shape[1]):
            for c in range(3):
                pixels[y, x, c] += frame[y, x, c]
            pixels[y, x, 3] = window[y, x]


@compiled
def _weigh(bands: Float, coarse: Float, mixed: Float) -> None:
    """Replace what is finer than the coarse picture by what its weight leaves of it, mixed."""
    for y in range(bands.shape[0]):
        for x in range(bands.shape[1]):
            weight = bands[y, x, 3]
            for c in range(3):
                bands[y, x, c] = (bands[y, x, c] - coarse[y, x, c]) * weight + mixed[y, x, c]


def _mixed(bands: Float, halvings: int) -> Float:
    """Sum of all bands, each weighted by the last channel at its scale; changes its argument."""
    height, width = bands.shape[:2]
    if halvings == 0:
        coarse, mixed = np.zeros_like(bands), np.zeros_like(bands)
    else:
        # Twice bilinear instead of Gaussian: several times faster, and the sum is still exact.
        half = ((width + 1) // 2, (height + 1) // 2)
        small = np.asarray(cv2.resize(bands, half, interpolation=cv2.INTER_LINEAR), np.float32)
        coarse = _enlarged(small, width, height)
        mixed = _enlarged(_mixed(small, halvings - 1), width, height)
    _weigh(bands, coarse, mixed)
    return bands


def _enlarged(picture: Float, width: int, height: int) -> Float:
    larger = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)


def warm_up() -> None:
    """Compile or load the loops now, so that the first frame does not pay for them."""
    for side in (40, 30):  # A region is a view, the whole frame is not.
        blended(Patch(np.zeros((30, 30, 4), np.float32), 0, 0), np.zeros((side, side, 3), np.uint8))
