"""Which parts of a face a viewer looks at first."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from engine.regions import LEFT_BROW, LEFT_EYE, LIPS, RIGHT_BROW, RIGHT_EYE
from export.dataset import Kind

# Outlines with the weight of what they enclose, least first: a later one paints over an
# earlier one.
_OUTLINES: Final = (
    (RIGHT_BROW, 110),
    (LEFT_BROW, 110),
    (LIPS, 200),
    (RIGHT_EYE, 255),
    (LEFT_EYE, 255),
)


# Lids' and lips' opening relative to the width of the eye or mouth, below and above which
# a face counts as expressive. The persona at rest has 0.31 and 0.16. Portraits seldom show
# more than narrowed eyes and a laugh: these are the outermost 7 % of them.
_SHUT_AND_OPEN: Final = {Kind.RENDER: (0.15, 0.35), Kind.PHOTO: (0.25, 0.2)}


def is_expressive(landmarks: NDArray[np.floating], kind: Kind) -> bool:
    """Whether eyes are shut or the mouth is wide open: rare, small, and sorely missed.

    Args:
        landmarks: (478, 2) in pixels.
        kind: photographs count from milder expressions on.
    """
    shut, wide = _SHUT_AND_OPEN[kind]
    return eye_opening(landmarks) < shut or mouth_opening(landmarks) > wide


def eye_opening(landmarks: NDArray[np.floating]) -> float:
    """Distance of the lids relative to the width of the eye, mean of both; (478, 2) points."""
    right, left = _opening(landmarks, 159, 145, 33, 133), _opening(landmarks, 386, 374, 263, 362)
    return (right + left) / 2


def mouth_opening(landmarks: NDArray[np.floating]) -> float:
    """Distance of the lips relative to the width of the mouth; (478, 2) points."""
    return _opening(landmarks, 13, 14, 61, 291)


def _opening(
    landmarks: NDArray[np.floating], upper: int, lower: int, left: int, right: int
) -> float:
    height, width = landmarks[upper] - landmarks[lower], landmarks[left] - landmarks[right]
    return float(np.hypot(*height) / max(np.hypot(*width), 1e-6))


def detail_map(landmarks: NDArray[np.floating], size: int) -> Image:
    """Paint eyes, mouth and brows of an aligned face.

    Args:
        landmarks: (478, 2) in pixels of the crop.
        size: side of the crop.

    Returns:
        (size, size) uint8, 255 in the eyes, less in the mouth and the brows, 0 elsewhere,
        with a soft margin of 3 % of the side.
    """
    canvas = np.zeros((size, size), np.uint8)
    margin = max(round(0.03 * size), 1)
    fraction = 4  # bits of sub-pixel precision
    points = np.rint(landmarks * (1 << fraction)).astype(np.int32)
    for outline, weight in _OUTLINES:
        cv2.fillPoly(canvas, [points[outline]], (weight,), cv2.LINE_8, fraction)
    # Nothing else is reached by what follows.
    left, top, width, height = cv2.boundingRect(canvas)
    reach = 2 * margin + 1
    rows = slice(max(top - reach, 0), top + height + reach)
    part = canvas[rows, max(left - reach, 0) : left + width + reach]
    if part.size:
        brush = (reach, reach)
        part[:] = cv2.dilate(part, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, brush))
        part[:] = cv2.blur(part, brush)
    return canvas
