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

import math

import cv2
import numpy as np

from engine import poisson
from engine.align import resized
from engine.compiled import compiled
from engine.face import Image, Mask
from engine.multigrid import Domain, Float, Grids

GRID = 64
"""Largest side of the grid the correction is solved on; larger crops are brought to it."""

_TOLERANCE = (12.0, 40.0)
"""How much, in gray levels, a difference at the seam may differ from the one inside the face
until it counts less: at least and at most. Hair and background differ by more."""

_SPREAD = 2.5  # between these limits, so many times what is typical inside the face
_FORGOTTEN = np.float32(1e-9)  # weight below which the past no longer counts
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
            frame: (T, T, 3) uint8 BGR, the same crop of the frame, of any size.
            mask: (U, U) float32 0..1 of any size, how the two will be mixed.
            skin: (G, G) float32 >= 0 of any size, where the face shows skin.
            rate: 0..1, how much of the new measurement to take; the first is taken whole.
            visible: (V, V) bool of any size, what of the crop lies in the frame; None is all.

        Returns:
            (S, S, 3) float32 BGR, 0..255, a new array.
        """
        size = swap.shape[0]
        side = min(size, GRID)
        # As floats: rounded, two equal faces would differ by half a level.
        difference = resized(frame.astype(np.float32), side) - resized(swap, side)
        small = resized(mask, side)
        reach = cv2.dilate(small, _NEIGHBORS)
        slope = np.asarray(reach - cv2.erode(small, _NEIGHBORS), np.float32)
        domain = np.asarray(reach > 0.0, np.bool_)
        if visible is not None:
            domain &= resized(visible.astype(np.float32), side) > 0.5
            slope *= domain
        if not domain.any():
            return np.clip(swap, 0.0, 255.0)
        inner, tolerance = _inside(difference, skin)
        fresh = self._seen is None or self._seen.shape[0] != side
        if self._seen is None or fresh:
            self._seen = np.zeros((side, side, 4), np.float32)
        share = np.float32(1.0 if fresh else rate)
        _observe(difference, slope, inner, np.float32(1.0 / tolerance), share, self._seen)
        prior = np.float32(max(_PRIOR * float(slope.sum()), 1e-3) / np.count_nonzero(domain))
        pull = self._seen[:, :, 3] + prior
        values = (self._seen[:, :, :3] + prior * inner) / pull[:, :, None]
        surface = poisson.fit(values, pull, domain, self._grids)
        corrected: Float = swap + resized(surface, size)
        return np.clip(corrected, 0.0, 255.0, out=corrected)


_NEIGHBORS = np.ones((3, 3), np.uint8)


def _inside(difference: Float, skin: Float) -> tuple[Float, float]:
    """The typical difference inside the face, (3,), and how far others may be from it."""
    # Every second cell in both directions is enough for a median.
    shown = resized(skin, difference.shape[0])[::2, ::2]
    samples = difference[::2, ::2][shown >= 0.5 * float(shown.max())]
    inner = np.median(samples, axis=0)
    off = samples - inner
    typical = math.sqrt(float(np.median(np.einsum("ij,ij->i", off, off))) / 3.0)
    tolerance = min(max(_SPREAD * typical, _TOLERANCE[0]), _TOLERANCE[1])
    return np.asarray(inner, np.float32), tolerance


@compiled
def _observe(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays and numbers
    difference: Float,
    slope: Float,
    inner: Float,
    sharpness: np.float32,
    rate: np.float32,
    seen: Float,
) -> None:
    """Move what has been seen, weighted difference and weight, toward a new measurement.

    A difference loses weight by a Gaussian of its distance from the inner one, root mean
    square over the channels.
    """
    for y in range(slope.shape[0]):
        for x in range(slope.shape[1]):
            weight = np.float32(0)
            if slope[y, x] > 0:
                square = np.float32(0)
                for c in range(3):
                    off = (difference[y, x, c] - inner[c]) * sharpness
                    square += off * off
                weight = slope[y, x] * np.exp(square * np.float32(-1 / 6))
            kept = seen[y, x, 3] + rate * (weight - seen[y, x, 3])
            # What fades out ends at 0: arithmetic with denormal numbers is a hundred times slower.
            past = np.float32(1) - rate if kept > _FORGOTTEN else np.float32(0)
            for c in range(3):
                seen[y, x, c] = past * seen[y, x, c] + rate * weight * difference[y, x, c]
            seen[y, x, 3] = past * seen[y, x, 3] + rate * weight


def warm_up() -> None:
    """Compile or load the loops now, so that the first frame does not pay for them."""
    poisson.warm_up()
    frame, mask = np.zeros((8, 8, 3), np.uint8), np.eye(8, dtype=np.float32)
    SeamMatch().apply(frame.astype(np.float32), frame, mask, mask, 1.0)
