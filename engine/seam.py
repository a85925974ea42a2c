"""Make a swapped face agree with the frame where the two are mixed, and carry that inward.

The correction is a membrane (see `engine.poisson`) over the mask, solved in the space of the
aligned crop: it is smooth, so the small grid loses nothing of it, the cost does not grow with
the face, and what is remembered from frame to frame stays on the same part of the face. What
the grid cannot show, the feather hides.

A soft mask has no single boundary. Each of its level sets counts as one, which is to say that
the difference of the two pictures counts by the slope of the mask: a hard mask gives the
classic boundary, a feathered one a mean over the feather, calmer than one row of pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine import poisson
from engine.face import Image, Mask
from engine.multigrid import Domain, Float, Grids

GRID = 128
"""Largest side of the grid the correction is solved on; larger crops are brought to it."""

_TOLERANCE = (12.0, 40.0)
"""How much, in gray levels, a difference at the seam may differ from the one inside the face
until it counts less: at least and at most. Hair and background differ by more."""

_SPREAD = 2.5  # between these limits, so many times what is typical inside the face
_PRIOR = 0.01  # weight of the difference inside the face, as a share of the whole seam's


class SeamMatch:
    """The correction of one tracked face, smoothed in time."""

    def __init__(self) -> None:
        self._grids = Grids()
        self._seen: Float | None = None  # weighted difference and weight

    def apply(  # noqa: PLR0913  # all that one face's crop consists of
        self,
        swap: Float,
        frame: Image,
        mask: Mask,
        skin: Float,
        rate: float,
        *,
        visible: Domain | None = None,
    ) -> Float:
        """Measure the difference along the seam and correct the swapped face.

        Args:
            swap: (S, S, 3) float32 BGR crop, not changed.
            frame: (S, S, 3) uint8 BGR, the same crop of the frame.
            mask: (S, S) float32 0..1, how the two will be mixed.
            skin: (G, G) float32 >= 0 of any size, where the face shows skin.
            rate: 0..1, how much of the new measurement to take; the first is taken whole.
            visible: (S, S) bool, what of the crop lies in the frame; None is all.

        Returns:
            (S, S, 3) float32 BGR, 0..255, a new array.
        """
        size = swap.shape[0]
        side = min(size, GRID)
        difference = _resized(frame, side).astype(np.float32) - _resized(swap, side)
        small = _resized(mask, side)
        reach = cv2.dilate(small, _NEIGHBORS)
        slope = np.asarray(reach - cv2.erode(small, _NEIGHBORS), np.float32)
        domain = np.asarray(reach > 0.0, np.bool_)
        if visible is not None:
            domain &= _resized(visible.astype(np.float32), side) > 0.5
            slope *= domain
        if not domain.any():
            return np.clip(swap, 0.0, 255.0)
        inner, trust = _trust(difference, skin)
        weights = slope * trust
        seen = np.dstack([weights[:, :, None] * difference, weights])
        if self._seen is not None and self._seen.shape == seen.shape:
            seen = self._seen + np.float32(rate) * (seen - self._seen)
        self._seen = seen
        prior = np.float32(max(_PRIOR * float(slope.sum()), 1e-3) / np.count_nonzero(domain))
        pull = seen[:, :, 3] + prior
        values = (seen[:, :, :3] + prior * inner) / pull[:, :, None]
        surface = poisson.fit(values, pull, domain, self._grids)
        corrected = swap + cv2.resize(surface, (size, size), interpolation=cv2.INTER_LINEAR)
        return np.clip(np.asarray(corrected, np.float32), 0.0, 255.0, out=corrected)


_NEIGHBORS = np.ones((3, 3), np.uint8)


def _trust(difference: Float, skin: Float) -> tuple[Float, Float]:
    """How well a difference fits to those inside the face.

    Returns:
        (3,) the typical difference inside, and (H, W) 1 for it, toward 0 for others.
    """
    grid = skin.shape[0]
    inside = skin > 0.5 * float(skin.max())
    samples = _resized(difference, grid)[inside]
    inner = np.asarray(np.median(samples, axis=0), np.float32)
    typical = float(np.median(_distance(samples - inner)))
    tolerance = min(max(_SPREAD * typical, _TOLERANCE[0]), _TOLERANCE[1])
    off = _distance(difference - inner) * np.float32(1.0 / tolerance)
    return inner, np.exp(np.float32(-0.5) * off * off)


def _distance(colors: Float) -> Float:
    """Root mean square over the last axis, so that of grays it is the difference in levels."""
    return np.asarray(np.sqrt(np.mean(colors * colors, axis=-1)), np.float32)


def _resized(picture: Float | Image, side: int) -> Float:
    if picture.shape[0] == side:
        return np.asarray(picture)
    how = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how))
