"""The classic converter's feather: an inset rectangle behind a large Gaussian.

It needs no landmarks, only the crop. The face box of the classic alignment reached from brow
to brow and from the brows to just below the mouth: forehead, chin and jaw were never replaced.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine import align
from engine.face import Mask

SIDE = 160
"""Side in pixels of the classic face box."""

CROP = 301
"""Side of a crop of `align.FULL_FACE` in the same pixels: its brows and mouth lie where they
did in the box."""

LEFT, TOP = 70, 68
"""Where the box lies in the crop: level, in the middle, and above the brows by as much."""

REACH = 7
"""How far the Gaussian reaches, in the same pixels."""

_INSET = SIDE // 15
_SIGMA = 10.0


def smooth_mask(coverage: Mask) -> Mask:
    """Feather what a shape leaves of the classic face box.

    The profile is the classic one in its own pixels: nothing in the outermost three, then 14
    that rise, all of it from the 18th on. The right and lower edges are one pixel further in.

    Args:
        coverage: (size, size) float32 0..1, not changed; ones for the plain rectangle.

    Returns:
        (size, size) float32 0..1.
    """
    size = coverage.shape[0]
    shape = np.zeros((CROP, CROP), np.float32)
    near, far = _INSET, SIDE - _INSET - 1
    inner = np.s_[TOP + near : TOP + far, LEFT + near : LEFT + far]
    shape[inner] = align.resized(coverage, CROP)[inner]
    taps = (2 * REACH + 1, 2 * REACH + 1)
    blurred = np.asarray(cv2.GaussianBlur(shape, taps, _SIGMA), np.float32)
    return align.resized(blurred, size)
