"""Face alignment: from landmarks to a square crop of fixed size, and back.

One pixel-center convention everywhere: integer coordinates are pixel centers, as in
OpenCV. The unit square spans a crop from edge to edge, so pixel i of n has its center at
(i + 0.5) / n. All maps between grids are built from this, which is why the crop that a
model reads and the picture that it writes show the same place at any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image, Landmarks, Matrix

Points = NDArray[np.floating]
"""(N, 2) x, y."""

NEAR_SCALE = 1.5
"""Up to this ratio of scales, either way, a crop and the frame can be sampled from each other
without averaging first: samples at most 1.5 pixels apart differ from a 16 times finer grid by
0.4 gray levels RMS on real faces."""

SHARP_SIDE = 160
"""Side in pixels up to which a crop of nearly the frame's scale is resampled by an 8 x 8 Lanczos
kernel. Bilinear sampling there and back would cost the face its finest detail; but larger faces
have less of it, and each pixel costs twenty times as much."""


def umeyama(src: Points, dst: Points) -> Matrix:
    """Least-squares similarity (rotation, uniform scale, translation) from src to dst.

    Args:
        src: (N, 2) points, N >= 2.
        dst: (N, 2) points, paired with `src`.

    Returns:
        (2, 3) float64 matrix M with dst ~ M[:, :2] @ src + M[:, 2]. Never a reflection.
        NaN throughout if all points of `src` coincide.

    Source:
        S. Umeyama, "Least-squares estimation of transformation parameters between two
        point patterns", IEEE PAMI 13(4), 1991.
    """
    src64, dst64 = np.asarray(src, np.float64), np.asarray(dst, np.float64)
    src_mean, dst_mean = src64.mean(axis=0), dst64.mean(axis=0)
    src_centered, dst_centered = src64 - src_mean, dst64 - dst_mean
    variance = float((src_centered**2).sum()) / len(src64)
    if not np.isfinite(variance) or variance < np.finfo(np.float64).tiny:
        return np.full((2, 3), np.nan)
    u, singular, vt = np.linalg.svd(dst_centered.T @ src_centered / len(src64))
    sign = np.array([1.0, 1.0 if np.linalg.det(u) * np.linalg.det(vt) >= 0 else -1.0])
    linear = (singular @ sign / variance) * (u * sign) @ vt
    return np.column_stack([linear, dst_mean - linear @ src_mean])


def invert(matrix: Matrix) -> Matrix:
    """Inverse of a (2, 3) affine map; raises numpy.linalg.LinAlgError if it is singular."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def apply(matrix: Matrix, points: Points) -> NDArray[np.float64]:
    """Map (N, 2) points by a (2, 3) affine map."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def rescale(matrix: Matrix, size: int, new_size: int) -> Matrix:
    """Change a map to a `size` px crop into the map to the same crop at `new_size` px."""
    ratio = new_size / size
    scaled = matrix * ratio
    scaled[:, 2] += 0.5 * ratio - 0.5
    return scaled


def resized(crop: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The same crop at another side: averaged when it shrinks, bilinear when it grows.

    Args:
        crop: (S, S) or (S, S, C) float32, not changed.
        side: in pixels.

    Returns:
        (side, side) or (side, side, C) float32; `crop` itself if it has this side.
    """
    if crop.shape[0] == side:
        return crop
    how = cv2.INTER_AREA if crop.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (side, side), interpolation=how), np.float32)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a model expects the face to lie in its crop.

    Attributes:
        name: stored in a model's metadata; a model trained on one alignment looks broken
            with another.
        indices: (N,) landmarks that take part.
        template: (N, 2) their places in the unit square.
    """

    name: str
    indices: NDArray[np.intp]
    template: NDArray[np.float64]

    def frame_to_crop(self, landmarks: Landmarks, size: int) -> Matrix:
        """Map from frame pixels to pixels of the `size` x `size` crop around a face."""
        return umeyama(landmarks[self.indices], self.template * size - 0.5)


def crop(image: Image, frame_to_crop: Matrix, size: int) -> Image:
    """Cut a face out of a frame without aliasing.

    A large face is sampled on a finer grid first and averaged down: bilinear sampling
    alone would skip pixels, and a face that moves by a fraction of a pixel would shimmer.
    A small crop of about the frame's own scale keeps all of its detail (`SHARP_SIDE`). The
    finer grid lies only where the frame does, so the largest face costs what its frame costs.

    Args:
        image: (H, W, 3) uint8, not changed. Outside of it the edge pixels repeat.
        frame_to_crop: (2, 3) map from frame pixels to crop pixels.
        size: side of the crop in pixels.

    Returns:
        (size, size, 3) uint8, a new array.
    """
    shrink = 1.0 / max(float(np.hypot(*frame_to_crop[:, 0])), 1e-6)
    factor = min(max(math.ceil(shrink / NEAR_SCALE), 1), 8)  # finer costs its square in time
    x0, y0, x1, y1 = (
        _covered(frame_to_crop, image.shape[1::-1], (size, size), 1)
        if factor > 1
        else (0, 0, size, size)
    )
    fine_size = ((x1 - x0) * factor, (y1 - y0) * factor)
    frame_to_fine = rescale(frame_to_crop, size, size * factor)
    frame_to_fine[:, 2] -= (x0 * factor, y0 * factor)
    sharp = size <= SHARP_SIDE and 1.0 / NEAR_SCALE <= shrink <= NEAR_SCALE
    reach = 4 if sharp else 1
    left, top, right, bottom = _bounds(frame_to_fine, fine_size, image.shape, reach)
    # Four bytes a pixel are warped twice as fast as three.
    region = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2BGRA)
    frame_to_fine[:, 2] += frame_to_fine[:, :2] @ (left, top)
    fine = cv2.warpAffine(
        region,
        frame_to_fine,
        fine_size,
        flags=cv2.INTER_LANCZOS4 if sharp else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if factor > 1:
        fine = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        beyond = (y0, size - y1, x0, size - x1)
        fine = cv2.copyMakeBorder(fine, *beyond, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(fine, cv2.COLOR_BGRA2BGR), np.uint8)


def _bounds(
    matrix: Matrix, size: tuple[int, int], shape: tuple[int, ...], reach: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what a crop needs of a frame: one pixel at least.

    `reach` is how far beyond the next pixel the interpolation looks.
    """
    height, width = shape[:2]
    if not 1e-12 < abs(float(np.linalg.det(matrix[:, :2]))) < 1e12:
        return 0, 0, width, height
    return _covered(invert(matrix), size, shape, reach)


def _covered(
    matrix: Matrix, size: tuple[int, int], shape: tuple[int, ...], reach: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a picture's place in another one: one pixel at least.

    Args:
        matrix: from the picture to the other one.
        size: width and height of the picture.
        shape: height and width of the other one, then anything.
        reach: how many pixels to add on each side.
    """
    height, width = shape[:2]
    right, bottom = size[0] - 1.0, size[1] - 1.0
    corners = apply(matrix, np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]]))
    low = np.clip(np.floor(corners.min(axis=0)) - reach, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + reach + 1, low + 1, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def visible(frame_to_crop: Matrix, size: int, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Which pixels of a crop show the frame, and not what is made up beyond its border.

    Args:
        frame_to_crop: (2, 3) map from frame pixels to crop pixels.
        size: side of the crop in pixels.
        shape: height and width of the frame, then anything.

    Returns:
        (size, size) bool, or None if all do. None of them does if the map is degenerate.
    """
    if not 1e-12 < abs(float(np.linalg.det(frame_to_crop[:, :2]))) < 1e12:
        return np.zeros((size, size), np.bool_)
    crop_to_frame = invert(frame_to_crop)
    height, width = shape[:2]
    last = size - 1.0
    corners = apply(crop_to_frame, np.array([[0, 0], [last, 0], [0, last], [last, last]]))
    if (corners >= -0.5).all() and (corners <= (width - 0.5, height - 0.5)).all():
        return None
    (a, b, x0), (c, d, y0) = crop_to_frame
    i = np.arange(size, dtype=np.float64)
    x, y = a * i + b * i[:, None] + x0, c * i + d * i[:, None] + y0
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return None if inside.all() else inside


# Symmetric by construction, so that a mirrored picture has the mirrored alignment. Points
# that move with speech (lower lip, chin, eyelids) take no part: the crop must not breathe.
# Own measurement: the median over 600 frontal public-domain portraits, mirrored and
# averaged; the unit square is 1.3 times as high as the face oval, which lies at y 0.095 to
# 0.865 with the mouth closed.
_HALF_TEMPLATE = {
    # landmark, its mirror image: x, y of the landmark
    (70, 300): (0.2396, 0.2714),
    (63, 293): (0.2682, 0.2488),
    (105, 334): (0.3123, 0.2352),
    (66, 296): (0.3697, 0.2378),
    (107, 336): (0.4343, 0.2467),
    (33, 263): (0.3027, 0.3305),
    (133, 362): (0.4215, 0.3377),
    (98, 327): (0.4134, 0.5222),
    (97, 326): (0.4585, 0.5369),
    (61, 291): (0.3551, 0.6138),
    (168, 168): (0.5, 0.3193),
    (197, 197): (0.5, 0.3861),
    (5, 5): (0.5, 0.4484),
    (4, 4): (0.5, 0.4877),
    (2, 2): (0.5, 0.5416),
    (0, 0): (0.5, 0.6048),
}


def _full_face() -> Alignment:
    points: dict[int, tuple[float, float]] = {}
    for (left, right), (x, y) in _HALF_TEMPLATE.items():
        points[left] = (x, y)
        points[right] = (1.0 - x, y)
    return Alignment(
        name="facestream-full-26",
        indices=np.array(list(points), np.intp),
        template=np.array(list(points.values()), np.float64),
    )


FULL_FACE = _full_face()
"""Forehead to chin, the alignment of the bundled models."""
