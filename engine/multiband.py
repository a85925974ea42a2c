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

from engine.face import Image
from engine.paste import Float, Patch

MAX_LEVELS = 5
_COARSEST = 12  # least side in pixels of the coarsest band
_EDGE = 0.5  # of the mask's slope, where the bands change over
_EDGE_SLOPE = 8.0
_WINDOW_SLOPE = 4.0  # the window is open where the mask is above the inverse of this


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
    region = patch.region(frame)
    alpha = patch.alpha
    height, width = alpha.shape
    window = np.clip(alpha * _WINDOW_SLOPE, 0.0, 1.0)
    window *= window * (3.0 - 2.0 * window)
    bands = np.empty((height, width, 4), np.float32)  # difference and where it counts
    np.subtract(patch.image, region, out=bands[:, :, :3])
    # What lies outside of the mask, hair or background, must not flow in with coarse bands.
    bands[:, :, :3] *= window[:, :, None]
    bands[:, :, 3] = np.clip((alpha - _EDGE) * _EDGE_SLOPE + 0.5, 0.0, 1.0)
    pixels = np.empty_like(bands)
    np.add(_mixed(bands, levels(width, height)), region, out=pixels[:, :, :3])
    pixels[:, :, 3] = window
    return Patch(pixels, patch.left, patch.top)


def _mixed(bands: Float, halvings: int) -> Float:
    """Sum of all bands of the first channels, each weighted by the last at its scale."""
    height, width = bands.shape[:2]
    if halvings == 0:
        return bands[:, :, :3] * bands[:, :, 3:]
    coarse = np.asarray(cv2.pyrDown(bands), np.float32)
    size = (width, height)
    fine: Float = bands[:, :, :3] - cv2.pyrUp(coarse[:, :, :3], dstsize=size)
    fine *= bands[:, :, 3:]
    fine += cv2.pyrUp(_mixed(coarse, halvings - 1), dstsize=size)
    return fine
