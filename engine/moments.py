"""Linear color transfers: from mean and covariance of two faces to one 3 x 4 matrix.

All of them work in an orthonormal opponent space (lightness, blue-yellow, green-red). Equal
statistics give the identity, also at the limits: each gain is limited, and a constant picture
counts as one with a spread of a gray level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.face import Image

Float: TypeAlias = NDArray[np.float32]
Double: TypeAlias = NDArray[np.float64]

CONTRAST = (0.5, 1.2)
"""Smallest and largest factor on a standard deviation; stretching shows blotches sooner than
shrinking."""

_GRAYISH = 8.0  # mean and spread of color, in gray levels, below which a picture is gray

# Lightness, blue-yellow and green-red of BGR. Orthonormal, so the way back is the transpose.
OPPONENT = np.array(
    [
        np.array([1.0, 1.0, 1.0]) / np.sqrt(3.0),
        np.array([-2.0, 1.0, 1.0]) / np.sqrt(6.0),
        np.array([0.0, -1.0, 1.0]) / np.sqrt(2.0),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Color of a face: float64 mean (3,) and covariance (3, 3) in the opponent space."""

    mean: Double
    covariance: Double

    @classmethod
    def of(cls, crop: Image | Float, weights: Float) -> Statistics:
        """Measure a crop.

        Args:
            crop: (H, W, 3) uint8 or float32 BGR, 0..255, not changed.
            weights: (H, W) float32; what is not above 0 does not count.
        """
        sums = np.zeros(10)
        _sum(crop, weights, sums)
        total = max(float(sums[0]), 1e-9)
        mean = sums[1:4] / total
        b, g, r, bg, br, gr = sums[4:] / total
        square = np.array([[b, bg, br], [bg, g, gr], [br, gr, r]])
        covariance = OPPONENT @ (square - np.outer(mean, mean)) @ OPPONENT.T
        return cls(OPPONENT @ mean, covariance)

    @property
    def std(self) -> Double:
        """(3,) standard deviation along the axes of the opponent space."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @property
    def colorfulness(self) -> float:
        """Mean and spread of the two color differences, in gray levels; 0 is gray."""
        return float(np.hypot(*self.mean[1:]) + np.hypot(*self.std[1:]))

    def toward(self, new: Statistics, weight: float) -> Statistics:
        """Move by `weight`, 0..1, toward a new measurement."""
        return Statistics(
            self.mean + weight * (new.mean - self.mean),
            self.covariance + weight * (new.covariance - self.covariance),
        )


Transfer: TypeAlias = Callable[[Statistics, Statistics], Double]
"""From the statistics of frame and swap to a (3, 4) matrix on (B, G, R, 1) of the swap."""


@compiled
def _sum(crop: Image | Float, weights: Float, sums: Double) -> None:
    """Weighted sums of 1, B, G, R, BB, GG, RR, BG, BR, GR."""
    for y in range(crop.shape[0]):
        for x in range(crop.shape[1]):
            weight = np.float64(weights[y, x])
            if weight > 0:
                b = np.float64(crop[y, x, 0])
                g = np.float64(crop[y, x, 1])
                r = np.float64(crop[y, x, 2])
                sums[0] += weight
                sums[1] += weight * b
                sums[2] += weight * g
                sums[3] += weight * r
                sums[4] += weight * b * b
                sums[5] += weight * g * g
                sums[6] += weight * r * r
                sums[7] += weight * b * g
                sums[8] += weight * b * r
                sums[9] += weight * g * r


def gray_share(frame: Statistics, swap: Statistics) -> float:
    """What a transfer keeps of the swap's color differences where nothing was measured.

    Lips and eyes do not count in the statistics, but must lose their color too in a gray
    picture.

    Returns:
        0 for a gray frame, 1 for one with color or one that is as gray as the swap.
    """
    wanted = min(swap.colorfulness, _GRAYISH)
    return min(frame.colorfulness / wanted, 1.0) if wanted > 0.0 else 1.0


def shift(frame: Statistics, swap: Statistics) -> Double:
    """(3, 4) matrix on (B, G, R, 1) that gives the swap the frame's mean color."""
    return _affine(np.eye(3), frame, swap)


def reinhard(frame: Statistics, swap: Statistics) -> Double:
    """(3, 4) matrix on (B, G, R, 1) that gives the swap the frame's mean and contrast.

    Source: E. Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001; here
    in a linear opponent space and with limited gains.
    """
    gain = np.clip((frame.std + 1.0) / (swap.std + 1.0), *CONTRAST)
    gain[1:] *= gray_share(frame, swap)
    return _affine(np.diag(gain), frame, swap)


def covariance_match(frame: Statistics, swap: Statistics) -> Double:
    """(3, 4) matrix that gives the swap the frame's mean and covariance, lightness first.

    With Cholesky factors F and S of the covariances the linear part is F S^(-1): lightness
    depends on lightness only, one color difference on it, and the other one on both. The
    gains that are limited are the factors' own, of what the axes before do not explain.

    Source: L. A. Gatys et al., "Preserving color in neural artistic style transfer",
    arXiv:1606.05897; here in an opponent space. Symmetric roots, the other choice there, turn
    the little that two nearly gray clouds have in color into casts.
    """
    wanted, present = (
        np.linalg.cholesky(statistics.covariance + np.eye(3)) for statistics in (frame, swap)
    )
    gain = np.clip(np.diag(wanted) / np.diag(present), *CONTRAST)
    slopes, inverse = wanted / np.diag(wanted), np.linalg.inv(present / np.diag(present))
    linear = (slopes * gain) @ inverse
    linear[1:] *= gray_share(frame, swap)
    return _affine(linear, frame, swap)


def monge_kantorovich(frame: Statistics, swap: Statistics) -> Double:
    """(3, 4) matrix as `covariance_match`, and the one that moves colors least.

    With covariances F and S the linear part is S^(-1/2) (S^(1/2) F S^(1/2))^(1/2) S^(-1/2).

    Source: F. Pitie and A. Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
    example-based colour transfer", CVMP 2007.
    """
    root = _root(swap.covariance + np.eye(3))
    inverse = _root(swap.covariance + np.eye(3), -0.5)
    linear = inverse @ _root(root @ (frame.covariance + np.eye(3)) @ root) @ inverse
    gains, axes = np.linalg.eigh(linear)
    linear = (axes * np.clip(gains, *CONTRAST)) @ axes.T
    linear[1:] *= gray_share(frame, swap)
    return _affine(linear, frame, swap)


def _root(covariance: Double, power: float = 0.5) -> Double:
    """Power of a symmetric matrix whose eigenvalues are 1 or more, rounding apart."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.maximum(values, 1.0) ** power) @ vectors.T)


def _affine(linear: Double, frame: Statistics, swap: Statistics) -> Double:
    offset = OPPONENT.T @ (frame.mean - linear @ swap.mean)
    return np.column_stack([OPPONENT.T @ linear @ OPPONENT, offset])
