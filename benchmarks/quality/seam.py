"""Is there a line where the new face meets the frame?

The seam is where the mask is 0.5, halfway between old and new. Beside it lie two rings, 6 px
inside and 6 px outside. A seam shows as a slope that is steeper than in the rings, or as rings
of different color. A real face has edges there too (jaw, hair, beard), so each number is also
taken from the original frame at the same place: its natural floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.color_difference import ciede2000, to_lab
from engine.face import Image, Mask

RING_PX = 6.0
"""Distance of the rings from the seam in frame pixels."""

_HALF_WIDTH_PX = 1.0
_QUIET = 0.1  # levels a pixel; keeps the ratio of two flat places at 1
_COLOR_SIGMA = 1.5  # of the blur before colors are compared, so that grain does not count
_STEP_PX = 2  # along the seam, between two comparisons
_NORMAL_SIGMA = 2.0

Float = NDArray[np.float64]
Distance = NDArray[np.float32]


def signed_distance(mask: Mask) -> Distance:
    """Distance of each pixel from the line where a mask is 0.5.

    Args:
        mask: (H, W) float32 0..1. Its border is no line: the mask may go on beyond it.

    Returns:
        (H, W) float32 in pixels, positive inside; infinite if the mask has no such line.
    """
    inside = (mask >= 0.5).astype(np.uint8)
    if not inside.any() or inside.all():
        return np.full(mask.shape, np.inf if inside.any() else -np.inf, np.float32)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.where(inside > 0, within - 0.5, 0.5 - beyond), np.float32)


def steepness(image: Image, distance: Distance) -> float:
    """How steep the picture is on the seam, relative to the rings beside it.

    Mean |gradient of luma| (Scharr) of pixels within 1 px of the seam, over the mean of both
    rings' means.

    Args:
        image: (H, W, 3) uint8 BGR.
        distance: (H, W) from `signed_distance`.

    Returns:
        1 where no line can be seen; NaN if the seam or a ring lies outside the picture.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    slopes = [cv2.Scharr(luma, cv2.CV_32F, dx, 1 - dx, scale=1 / 32) for dx in (1, 0)]
    slope = cv2.magnitude(slopes[0], slopes[1])
    bands = [np.abs(distance - at) <= _HALF_WIDTH_PX for at in (0.0, RING_PX, -RING_PX)]
    if not all(band.any() for band in bands):
        return float("nan")
    seam, inner, outer = (float(slope[band].mean()) for band in bands)
    return (seam + _QUIET) / ((inner + outer) / 2.0 + _QUIET)


@dataclass(frozen=True, slots=True, eq=False)
class Stations:
    """Places along the seam where colors are compared.

    Attributes:
        at: (N, 2) x, y on the seam, in pixels of the picture.
        inner: (N, 2) the places 6 px inside.
        outer: (N, 2) the places 6 px outside.
    """

    at: NDArray[np.float32]
    inner: NDArray[np.float32]
    outer: NDArray[np.float32]

    @classmethod
    def along(cls, mask: Mask, distance: Distance) -> Stations:
        """Walk along the seam; leave out where a ring lies outside the picture or a mask is thin.

        Args:
            mask: (H, W) float32 0..1.
            distance: of the same mask.
        """
        inside = (mask >= 0.5).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        points = [outline[::_STEP_PX, 0] for outline in outlines]
        at = np.concatenate([*points, np.zeros((0, 2), np.int32)]).astype(np.float32)
        if not np.isfinite(distance).all():
            at = at[:0]
        calm = cv2.GaussianBlur(distance, (0, 0), _NORMAL_SIGMA)
        slopes = [np.asarray(cv2.Sobel(calm, cv2.CV_32F, dx, 1 - dx), np.float32) for dx in (1, 0)]
        normals = np.stack([_sampled(slope, at) for slope in slopes], axis=1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        # The outline's pixels are the innermost half pixel of the mask.
        seam = at - np.float32(0.5) * normals
        inner, outer = seam + np.float32(RING_PX) * normals, seam - np.float32(RING_PX) * normals
        size = np.array(mask.shape[::-1], np.float32)
        # An outline also follows the picture's border where the mask is cut off by it.
        kept = np.abs(_sampled(distance, at)) <= _HALF_WIDTH_PX
        for ring, side in ((inner, 1.0), (outer, -1.0)):
            kept &= ((ring >= 0) & (ring <= size - 1)).all(axis=1)
            kept &= side * _sampled(distance, ring) >= RING_PX - 2.0
        return cls(seam[kept], inner[kept], outer[kept])


def color_steps(image: Image, stations: Stations) -> Float:
    """CIEDE2000 between the inner and the outer ring, place by place.

    Args:
        image: (H, W, 3) uint8 BGR; blurred by 1.5 px for this.
        stations: from a mask of the same shape.

    Returns:
        (N,) float64.
    """
    calm = cv2.GaussianBlur(image.astype(np.float32), (0, 0), _COLOR_SIGMA)
    lab = to_lab(np.asarray(calm, np.float32))
    return ciede2000(_sampled(lab, stations.inner), _sampled(lab, stations.outer))


def _sampled(picture: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(at):
        return np.zeros((0, *picture.shape[2:]), np.float32)
    rows = [
        cv2.remap(
            picture,
            part[None, :, 0],
            part[None, :, 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[0]
        for part in np.array_split(at, len(at) // 16_000 + 1)  # remap's limit is 32767
    ]
    return np.asarray(np.concatenate(rows), np.float32)
