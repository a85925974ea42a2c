"""Where the new face goes: masks in the space of an aligned crop.

A crop holds the face upright at a fixed scale, so one small grid serves faces of any size,
a feather in grid pixels is a fraction of the face, and whatever reaches the crop's border
is feathered there too: the border itself never shows. All of it works on
(size, size) float32 arrays, 0 (keep the frame) to 1 (take the swap).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import regions
from engine.align import Points
from engine.errors import EngineError
from engine.face import Image, Mask
from engine.skin import SkinRule, skin_mask
from engine.smooth_mask import smooth_mask

SHAPES = ("hull", "skin", "rect", "model")
"""`hull`: convex hull of the landmarks. `skin`: what a skin rule accepts around the face,
plus eyes, nose and mouth. `rect`: the whole crop. `model`: what the model itself marked."""

FeatherProfile: TypeAlias = Literal["ramp", "smooth_mask"]
FEATHER_PROFILES: tuple[FeatherProfile, ...] = get_args(FeatherProfile)
"""`ramp`: from the shape's edge inward, as wide as erode and feather say. `smooth_mask`: the
classic converter's inset rectangle and Gaussian, see `engine.smooth_mask`."""

MIN_SKIN = 0.35
"""A skin mask that covers less of the hull than this has failed (dark skin, gray picture)."""

_SUBPIXEL_BITS = 4


def parse_shapes(text: str) -> tuple[str, ...]:
    """Split 'hull+skin' into its shapes.

    Raises:
        EngineError: an unknown shape, or none.
    """
    shapes = tuple(text.split("+"))
    unknown = [shape for shape in shapes if shape not in SHAPES]
    if unknown:
        raise EngineError(
            f"mask {text!r} has no shape {unknown[0]!r}; expected one of {', '.join(SHAPES)}, "
            "or several joined by + to take what all of them cover"
        )
    return shapes


def hull(points: Points, size: int) -> Mask:
    """Convex hull of points, antialiased, so that it moves smoothly with them.

    Args:
        points: (N, 2) in pixels of the crop; may lie outside.
        size: side of the crop.
    """
    return _filled(points, size).astype(np.float32) * np.float32(1 / 255)


def rect(size: int) -> Mask:
    """The whole crop."""
    return np.ones((size, size), np.float32)


def skin(crop: Image, points: Points, rule: SkinRule, margin: float) -> Mask | None:
    """The face's skin by color: largest component in the landmarks' box, without holes.

    Eyes, brows, nose and mouth are no skin by color but always belong to the mask: a hole
    would keep the original person's eyes.

    Args:
        crop: (size, size, 3) uint8 BGR, the frame's own face.
        points: (478, 2) landmarks in pixels of the crop.
        rule: which colors are skin.
        margin: in pixels, by how much the inner face is widened, so that softening the mask
            afterwards cannot reach the eyes.

    Returns:
        (size, size) float32, or None if there is too little skin (see `MIN_SKIN`).
    """
    size = crop.shape[0]
    accepted = _inside_box(skin_mask(crop, rule), points)
    opened = cv2.morphologyEx(accepted, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    face = _filled(points, size)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if len(stats) < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    component = (labels == largest).astype(np.uint8)
    outlines, _ = cv2.findContours(component, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(component, outlines, -1, 255, cv2.FILLED)
    covered = np.count_nonzero((component > 0) & (face > 127))
    if covered < MIN_SKIN * np.count_nonzero(face > 127):
        return None
    inner = _filled(points[regions.INNER_FACE], size, margin)
    mask: Mask = np.maximum(component, inner).astype(np.float32) * np.float32(1 / 255)
    return mask


def soften(coverage: Mask, erode: float, feather: float) -> Mask:
    """Pull a shape's edge inward and fade it.

    The mask is exactly 0 outside a convex shape and within `erode` of its edge, and exactly
    1 deeper than `erode + feather`; the crop's outermost pixels count as outside. Exact along
    straight edges, deeper at convex corners, less deep at concave ones.

    Args:
        coverage: (size, size) float32 0..1, not changed.
        erode: in pixels, >= 0.
        feather: in pixels; less than 1 is taken as 1.
    """
    # A blurred step is a monotonic function of the distance to the edge that, unlike a
    # distance transform, moves smoothly when the shape moves by a part of a pixel.
    feather = max(feather, 1.0)
    sigma = (erode + feather) / 1.5
    low, high = NormalDist().cdf(erode / sigma), NormalDist().cdf((erode + feather) / sigma)
    taps = 2 * int(np.ceil(2.5 * sigma)) + 1
    framed = coverage.copy()
    framed[[0, -1]] = framed[:, [0, -1]] = 0.0
    blurred = cv2.GaussianBlur(framed, (taps, taps), sigma, borderType=cv2.BORDER_CONSTANT)
    ramp = np.clip((blurred - low) * (1.0 / (high - low)), 0.0, 1.0)
    smooth: Mask = ramp * ramp * (3.0 - 2.0 * ramp)
    return smooth


def face_mask(  # noqa: PLR0913  # one call a face; a settings object would hide what it reads
    shapes: tuple[str, ...],
    crop: Image,
    points: Points,
    model: Mask | None,
    *,
    rule: SkinRule,
    erode: float,
    feather: float,
    profile: FeatherProfile = "ramp",
) -> tuple[Mask, bool]:
    """Build one face's mask from shapes, as their intersection.

    Args:
        shapes: from `parse_shapes`.
        crop: (size, size, 3) uint8 BGR, the frame's own face.
        points: (478, 2) landmarks in pixels of the crop.
        model: (S, S) float32, the model's mask at any size, or None.
        rule: for `skin`.
        erode: as a fraction of the face's size (the square root of the hull's area).
        feather: as `erode`.
        profile: one of `FEATHER_PROFILES`; `smooth_mask` has its own measures.

    Returns:
        (size, size) float32 mask, and whether a shape that was asked for could not be had
        (no skin found, no mask in the model) and the hull took its place.
    """
    size = crop.shape[0]
    face = hull(points, size)
    face_size = float(np.sqrt(face.sum()))
    erode, feather = erode * face_size, feather * face_size
    fell_back = False
    coverage = rect(size)
    for shape in shapes:
        if shape == "hull":
            found: Mask | None = face
        elif shape == "skin":
            found = skin(crop, points, rule, margin=erode + feather)
        elif shape == "model" and model is None:
            found = None
        else:
            found = rect(size)
        fell_back |= found is None
        coverage = np.minimum(coverage, face if found is None else found)
    classic = profile == "smooth_mask"
    mask = smooth_mask(coverage) if classic else soften(coverage, erode, feather)
    if "model" in shapes and model is not None:
        mask *= _resized(model, size)
    return mask, fell_back


def _resized(mask: Mask, size: int) -> Mask:
    finite = np.nan_to_num(np.asarray(mask, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    shrinks = mask.shape[0] > size
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.clip(cv2.resize(finite, (size, size), interpolation=how), 0.0, 1.0)


def _filled(points: Points, size: int, margin: float = 0.0) -> NDArray[np.uint8]:
    """Convex hull of points, 0..255, optionally widened by `margin` pixels."""
    # A landmark can be anywhere when a face leaves the picture; OpenCV draws only numbers
    # that fit its fixed point.
    near = np.clip(points, -4.0 * size, 5.0 * size).astype(np.float32)
    outline = cv2.convexHull(near)
    fixed = np.rint(outline * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(canvas, fixed, 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    if margin > 0.5:
        thickness = 2 * round(margin)
        cv2.polylines(
            canvas,
            [fixed],
            isClosed=True,
            color=255,
            thickness=thickness,
            lineType=cv2.LINE_AA,
            shift=_SUBPIXEL_BITS,
        )
    return canvas


def _inside_box(mask: NDArray[np.uint8], points: Points) -> NDArray[np.uint8]:
    """Clear everything outside the points' bounding box."""
    size = mask.shape[0]
    left, top = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(points.max(axis=0)) + 1, 0, size).astype(int)
    inside = np.zeros_like(mask)
    inside[top:bottom, left:right] = mask[top:bottom, left:right]
    return inside
