"""One person's own skin color, learned from patches of the face and followed in time.

Fixed rules fit some people in some light. Here cheeks, nose and forehead say what skin is in
this picture: after gray-world correction skin from shade to light lies along a line in
(Y, Cr, Cb), one through black if a camera were ideal, and a pixel belongs if its distance from
that line is within `REACH` standard deviations of what the patches scatter.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import regions
from engine.align import Points
from engine.compiled import compiled
from engine.face import Image

Double: TypeAlias = NDArray[np.float64]

REACH = 3.0
"""Mahalanobis distance up to which a color is skin: 98.9 % of a normal distribution."""

LEAST_LIGHT, MOST_LIGHT = 0.22, 2.5
"""How dark and how bright skin may be, as factors on the patches' median luma."""

MIN_PATCH = 24
"""Pixels that the patches have to show; with fewer nothing is learned."""

_GAIN_LIMIT = 1.6
_NOISE = 1.2  # levels of Cr and Cb that a camera's noise and rounding scatter at least...
_VARIETY = 0.012  # ...and what a face's own redness and reflections do, as a share of luma.
_BLEACH = 0.02  # the same in addition, if all patches are blown out: their edges change hue.
_WHITE, _BLACK = 250, 4.0
_FITS = 0.5  # share of the patches that what is known has to recognize
_HELD = 0.01  # weight of the line's passing through black
_MAX_SCATTER = 0.08  # share of luma beyond which patches are not of one thing

# Y, R - Y and B - Y of BGR with BT.601's weights and the scales of Cr and Cb.
_LUMA = np.array([0.114, 0.587, 0.299])
_YCRCB = np.array(
    [
        _LUMA,
        0.713 * (np.array([0.0, 0.0, 1.0]) - _LUMA),
        0.564 * (np.array([1.0, 0.0, 0.0]) - _LUMA),
    ]
)


def gray_world(image: Image) -> Double:
    """(3,) gains on B, G, R that make the mean of a picture gray, each within 1.6 of 1.

    Source: G. Buchsbaum, "A spatial processor model for object colour perception", J. Franklin
    Institute 310(1), 1980.
    """
    mean = np.asarray(cv2.mean(image)[:3]) + 1.0
    return np.asarray(np.clip(mean.mean() / mean, 1.0 / _GAIN_LIMIT, _GAIN_LIMIT), np.float64)


def patches(points: Points, size: int) -> NDArray[np.uint8]:
    """(size, size) uint8, 255 on cheeks, nose and lower forehead of a face.

    Args:
        points: (478, 2) landmarks in pixels of the crop; may lie outside.
        size: side of the crop.
    """
    near = np.clip(points, -4.0 * size, 5.0 * size).astype(np.float32)
    canvas = np.zeros((size, size), np.uint8)
    for part in regions.SKIN_PATCHES:
        cv2.fillConvexPoly(canvas, np.rint(cv2.convexHull(near[part])).astype(np.int32), 255)
    return canvas


def box_patch(size: int) -> NDArray[np.uint8]:
    """(size, size) uint8, 255 where nose and cheeks are in the crop of a face's box."""
    canvas = np.zeros((size, size), np.uint8)
    center, axes = (round(0.5 * size), round(0.54 * size)), (round(0.22 * size), round(0.13 * size))
    cv2.ellipse(canvas, center, axes, 0.0, 0.0, 360.0, 255, cv2.FILLED)
    return canvas


@compiled
def _near(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    bgr: NDArray[np.uint8],
    matrix: NDArray[np.float32],
    metric: NDArray[np.float32],
    offset: NDArray[np.float32],
    luma: tuple[float, float],
    mask: NDArray[np.uint8],
) -> None:
    least, most = np.float32(luma[0]), np.float32(luma[1])
    for i in range(mask.size):
        b, g, r = np.float32(bgr[3 * i]), np.float32(bgr[3 * i + 1]), np.float32(bgr[3 * i + 2])
        y = matrix[0, 0] * b + matrix[0, 1] * g + matrix[0, 2] * r
        u = matrix[1, 0] * b + matrix[1, 1] * g + matrix[1, 2] * r - offset[0]
        v = matrix[2, 0] * b + matrix[2, 1] * g + matrix[2, 2] * r - offset[1]
        far = metric[0] * u * u + metric[1] * u * v + metric[2] * v * v
        inside = (far <= np.float32(1)) & (y >= least) & (y <= most)
        mask[i] = np.uint8(255) * np.uint8(inside)


class SkinModel:
    """The skin of one tracked face.

    Cut or lost track: start a new one.
    """

    def __init__(self) -> None:
        self._line = np.zeros((2, 2))
        self._scatter = np.zeros((2, 2))
        self._luma = 0.0
        self._blown = 0.0
        self.known = False

    def learn(self, crop: Image, where: NDArray[np.uint8], rate: float = 1.0) -> None:
        """Measure the patches of a picture and move towards what they say.

        Pixels that differ from the rest (hair, glasses, a highlight) are left out. If the patches
        are no skin to what was known, the light or the scene has changed: the new measurement is
        taken whole.

        Args:
            crop: (H, W, 3) uint8 BGR, not changed.
            where: (H, W) uint8, above 0 on skin: `patches` or `box_patch`.
            rate: 0..1, how much of the measurement to take; the first is taken whole.
        """
        colors = crop[where > 0]
        if len(colors) < MIN_PATCH:
            return
        features = (colors * gray_world(crop)) @ _YCRCB.T
        clipped = colors.max(axis=1) >= _WHITE
        blown = float(clipped.mean())
        # Blown out or black, a color is lost; if nearly all of it is, that is the color.
        lit = ~clipped & (features[:, 0] > _BLACK)
        if np.count_nonzero(lit) >= max(MIN_PATCH, len(lit) // 3):
            features = features[lit]
        luma = float(np.median(features[:, 0]))
        line, off = _fitted(features, luma)
        scatter = off.T @ off / len(off)
        if np.trace(scatter) > 2.0 * (_NOISE + _MAX_SCATTER * luma) ** 2:
            return
        if self.known and np.count_nonzero(self.mask(crop)[where > 0]) >= _FITS * len(colors):
            line = self._line + rate * (line - self._line)
            scatter = self._scatter + rate * (scatter - self._scatter)
            luma = self._luma + rate * (luma - self._luma)
            blown = self._blown + rate * (blown - self._blown)
        self._line, self._scatter, self._luma, self._blown = line, scatter, luma, blown
        self.known = True

    def mask(self, image: Image, reach: float = 1.0) -> NDArray[np.uint8]:
        """Mark what has this skin's color.

        Args:
            image: (H, W, 3) uint8 BGR, not changed; of the size and place of what was learned
                from, since its mean color is taken for the light's.
            reach: factor on `REACH`; above 1, what is left out is surely no skin.

        Returns:
            (H, W) uint8, 255 where accepted, else 0; a new array, empty of skin as long as
            nothing is `known`.
        """
        mask = np.zeros(image.shape[:2], np.uint8)
        if not self.known or not image.size:
            return mask
        matrix = _YCRCB * gray_world(image)
        matrix[1:] -= np.outer(self._line[0], matrix[0])
        own = (_NOISE + (_VARIETY + _BLEACH * self._blown) * self._luma) ** 2
        inverse = np.linalg.inv((self._scatter + own * np.eye(2)) * (REACH * reach) ** 2)
        metric = np.array([inverse[0, 0], inverse[0, 1] + inverse[1, 0], inverse[1, 1]])
        _near(
            np.ascontiguousarray(image).reshape(-1),
            matrix.astype(np.float32),
            metric.astype(np.float32),
            self._line[1].astype(np.float32),
            (LEAST_LIGHT * self._luma, MOST_LIGHT * reach**2 * self._luma + 8.0),
            mask.reshape(-1),
        )
        return mask


def _fitted(features: Double, luma: float) -> tuple[Double, Double]:
    """Robust line of Cr and Cb over Y, held to black, and what is left of the inliers.

    Args:
        features: (N, 3) Y, Cr, Cb; Cr and Cb about 0.
        luma: their median Y.

    Returns:
        (2, 2) slopes and offsets of Cr and Cb, and (M, 2) distances of at least half of all.
    """
    terms = np.column_stack([features[:, 0], np.full(len(features), max(luma, 1.0))])
    kept = np.ones(len(features), np.bool_)
    for _ in range(3):
        chosen = terms[kept]
        held = np.diag([1e-3 * len(chosen), _HELD * len(chosen) * max(luma, 1.0) ** 2])
        line = np.linalg.solve(chosen.T @ chosen + held, chosen.T @ features[kept, 1:])
        off = features[:, 1:] - terms @ line
        distance = np.abs(off).max(axis=1)
        kept = distance <= max(2.5 * float(np.median(distance)), _NOISE)
    line[1] *= max(luma, 1.0)
    return line, off[kept]


def warm_up() -> None:
    """Compile or load the loop now, so that the first frame does not pay for it."""
    model, gray = SkinModel(), np.full((8, 8, 3), 128, np.uint8)
    model.learn(gray, np.full((8, 8), 255, np.uint8))
    model.mask(gray)
