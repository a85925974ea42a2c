"""The picture that stands in when there is none to show."""

from __future__ import annotations

import cv2
import numpy as np

from engine.face import Image

_GROUND, _INK, _QUIET = (38, 32, 30), (225, 222, 220), (140, 132, 128)


def slate(width: int, height: int, title: str, line: str) -> Image:
    """A calm dark picture with two lines of text in its middle.

    Args:
        width: in pixels.
        height: in pixels.
        title: ASCII, in large letters.
        line: ASCII, below it.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    image = np.full((height, width, 3), _GROUND, np.uint8)
    small = min(width, height * 16 / 9) / 640
    _centered(image, title, 1.0 * small, height * 0.48, _INK)
    _centered(image, line, 0.55 * small, height * 0.48 + 34 * small, _QUIET)
    return image


def _centered(
    image: Image, text: str, scale: float, baseline: float, color: tuple[int, int, int]
) -> None:
    font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(2 * scale))
    (width, _), _ = cv2.getTextSize(text, font, scale, thickness)
    place = ((image.shape[1] - width) // 2, round(baseline))
    cv2.putText(image, text, place, font, scale, color, thickness, cv2.LINE_AA)
