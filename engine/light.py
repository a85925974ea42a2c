"""Low-frequency light of a face: how bright it is from place to place."""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image

Float: TypeAlias = NDArray[np.float32]

MAX_RELIGHT = 1.6
"""Brightness is changed by this factor at most from place to place..."""

MAX_EXPOSURE = 4.0
"""...and by this one for the whole face."""

_GRID = 32
_SIGMA = 3.0
_PRIOR = 0.02  # weight of the mean brightness where the face shows no skin
_DARK = 6.0  # gray levels added to both sides of a ratio, so that near black it stays near 1
_LUMA = np.array([[0.114, 0.587, 0.299]], np.float32)  # ITU-R BT.601, of BGR


def luma(crop: Image) -> Float:
    """(H, W) float32 brightness, 0..255, of a uint8 BGR crop."""
    return np.asarray(cv2.transform(crop.astype(np.float32), _LUMA), np.float32)


def log_ratio(frame: Image, swap: Image, frame_weights: Float, swap_weights: Float) -> Float:
    """Logarithm of the blurred brightness of the frame's face over that of the swap.

    Own method.

    Args:
        frame: (G, G, 3) uint8 BGR crop.
        swap: the same place of the swap.
        frame_weights: (G, G) float32 >= 0, what counts in `frame`, not all zero.
        swap_weights: as `frame_weights`, for `swap`.

    Returns:
        (g, g) float32 on a coarser grid of the same crop, limited by `MAX_EXPOSURE` as a
        whole and by `MAX_RELIGHT` around that.
    """
    wanted = _blurred(luma(frame), frame_weights) + _DARK
    present = _blurred(luma(swap), swap_weights) + _DARK
    ratio = np.log(np.maximum(wanted, _DARK) / np.maximum(present, _DARK))
    weights = cv2.resize(frame_weights, ratio.shape, interpolation=cv2.INTER_AREA)
    whole = float((ratio * weights).sum() / weights.sum())
    local = np.clip(ratio - whole, -math.log(MAX_RELIGHT), math.log(MAX_RELIGHT))
    exposure = min(max(whole, -math.log(MAX_EXPOSURE)), math.log(MAX_EXPOSURE))
    return np.asarray(local + exposure, np.float32)


def relight(crop: Image, ratio: Float, out: Float, scratch: Float) -> Float:
    """Multiply a crop by a low-frequency light.

    Args:
        crop: (S, S, 3) uint8 BGR, not changed.
        ratio: (g, g) float32, logarithm of the factor on a coarser grid of the same crop.
        out: (S, S, 3) float32, gets the result, which may exceed 255.
        scratch: as `out`, overwritten.

    Returns:
        `out`.
    """
    factor = cv2.resize(np.exp(ratio), crop.shape[:2], interpolation=cv2.INTER_LINEAR)
    cv2.cvtColor(factor, cv2.COLOR_GRAY2BGR, scratch)
    cv2.multiply(crop, scratch, out, dtype=cv2.CV_32F)
    return out


def _blurred(brightness: Float, weights: Float) -> Float:
    """Brightness blurred without what has no weight; far from any weight the mean."""
    mean = float((brightness * weights).sum()) / float(weights.sum())
    size = (_GRID, _GRID)
    weighted = cv2.resize(brightness * weights, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(weights, size, interpolation=cv2.INTER_AREA)
    above = cv2.GaussianBlur(weighted, (0, 0), _SIGMA, borderType=cv2.BORDER_CONSTANT)
    below = cv2.GaussianBlur(coarse, (0, 0), _SIGMA, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((above + _PRIOR * mean) / (below + _PRIOR), np.float32)
