"""How different two colors look: CIEDE2000."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def to_lab(image: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert an sRGB picture to CIE L*a*b*, D65.

    Args:
        image: (H, W, 3) BGR, 0..255.

    Returns:
        (H, W, 3) float32: L* 0..100, a*, b*.
    """
    scaled = np.asarray(image, np.float32) * np.float32(1 / 255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)


def ciede2000(first: NDArray[np.floating], second: NDArray[np.floating]) -> Float:
    """Color difference in units of what can just be told apart, about 1.

    Args:
        first: (..., 3) L*, a*, b*.
        second: of the same shape.

    Returns:
        (...) float64 >= 0.

    Source:
        G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula: implementation
        notes, supplementary test data, and mathematical observations", Color Research and
        Application 30(1), 2005; kL = kC = kH = 1.
    """
    lightness, a, b = np.moveaxis(np.stack([first, second]).astype(np.float64), -1, 0)
    chroma7 = np.hypot(a, b).mean(axis=0) ** 7
    a = a * (1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0**7)))
    chroma = np.hypot(a, b)
    hue = np.degrees(np.arctan2(b, a)) % 360.0
    gray = chroma[0] * chroma[1] == 0.0

    turn = hue[1] - hue[0]
    turn -= 360.0 * np.sign(turn) * (np.abs(turn) > 180.0)
    turn = np.where(gray, 0.0, turn)
    d_lightness, d_chroma = lightness[1] - lightness[0], chroma[1] - chroma[0]
    d_hue = 2.0 * np.sqrt(chroma[0] * chroma[1]) * np.sin(np.radians(turn / 2.0))

    total = hue.sum(axis=0)
    crosses = np.abs(hue[1] - hue[0]) > 180.0
    mean_hue = (total + np.where(crosses, np.where(total < 360.0, 360.0, -360.0), 0.0)) / 2.0
    mean_hue = np.where(gray, total, mean_hue)
    mean_chroma, off = chroma.mean(axis=0), (lightness.mean(axis=0) - 50.0) ** 2

    def wave(times: float, shift_deg: float) -> Float:
        return np.asarray(np.cos(np.radians(times * mean_hue + shift_deg)), np.float64)

    weight = 1.0 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.20 * wave(4, -63)
    blue_deg = 30.0 * np.exp(-(((mean_hue - 275.0) / 25.0) ** 2))
    mean7 = mean_chroma**7
    rotation = -2.0 * np.sqrt(mean7 / (mean7 + 25.0**7)) * np.sin(np.radians(2.0 * blue_deg))
    l_term = d_lightness / (1.0 + 0.015 * off / np.sqrt(20.0 + off))
    c_term = d_chroma / (1.0 + 0.045 * mean_chroma)
    h_term = d_hue / (1.0 + 0.015 * mean_chroma * weight)
    square = l_term**2 + c_term**2 + h_term**2 + rotation * c_term * h_term
    return np.asarray(np.sqrt(np.maximum(square, 0.0)), np.float64)
