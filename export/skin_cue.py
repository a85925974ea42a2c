"""Where a face shows skin, as a cue for the loss: the classic rule guides the network."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.skin import skin_mask


def skin_maps(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark the skin of aligned faces, with what it encloses.

    The rule knows colors only: it leaves eyes, teeth and single pixels out, which belong to
    a face, so gaps up to an eighth of the side are closed and edges are soft. Where light or
    complexion hide the skin from the rule, the map is empty.

    Args:
        pictures: (N, S, S, 3) uint8 BGR, not changed.

    Returns:
        (N, S, S) uint8, 255 on skin, 0 off it.
    """
    count, size = pictures.shape[:2]
    # One tall picture: the rule looks at single pixels.
    masks = skin_mask(pictures.reshape(count * size, size, 3)).reshape(count, size, size)
    kernel = np.ones((max(size // 8, 1) | 1,) * 2, np.uint8)
    soft = max(size // 32, 1) * 2 + 1
    closed = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel) for mask in masks]
    return np.stack([cv2.blur(mask, (soft, soft)) for mask in closed]).astype(np.uint8, copy=False)
