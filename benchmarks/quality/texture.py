"""Sharpness, grain and likeness of parts of a picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image

Region = NDArray[np.bool_]

_MAD = 0.6745  # median of |x| for x of a standard normal distribution
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def sharpness(image: Image, region: Region) -> float:
    """Standard deviation of luma's Laplacian in gray levels; NaN for an empty region.

    Source: J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a
    comparative study", ICPR 2000 (there its square).

    Args:
        image: (H, W, 3) uint8 BGR.
        region: (H, W) bool, what counts.
    """
    if not region.any():
        return math.nan
    return float(cv2.Laplacian(_luma(image), cv2.CV_32F)[region].std())


def noise(image: Image, region: Region) -> float:
    """Standard deviation of the grain in gray levels; NaN for an empty region.

    The median of the response of a kernel that does not see slopes and even curves; edges,
    being few, do not count.

    Source: J. Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996; the median
    instead of the mean is own.

    Args:
        image: (H, W, 3) uint8 BGR.
        region: (H, W) bool, what counts.
    """
    if not region.any():
        return math.nan
    response = cv2.filter2D(_luma(image), cv2.CV_32F, _IMMERKAER)[region]
    return float(np.median(np.abs(response))) / (6.0 * _MAD)


def psnr_db(first: Image, second: Image, region: Region) -> float:
    """Peak signal-to-noise ratio over a region, all channels: 10 log10(255^2 / MSE).

    Args:
        first: (H, W, 3) uint8.
        second: of the same shape.
        region: (H, W) bool, what counts.

    Returns:
        Decibels; infinite if equal, NaN for an empty region.
    """
    if not region.any():
        return math.nan
    difference = first[region].astype(np.float64) - second[region]
    error = float((difference**2).mean())
    return math.inf if error == 0.0 else 10.0 * math.log10(255.0**2 / error)


def _luma(image: Image) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_BGR2GRAY), np.float32)
