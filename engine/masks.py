"""Where the new face goes: masks in the space of an aligned crop.

A crop holds the face upright at a fixed scale, so one small grid serves faces of any size,
a feather in grid pixels is a fraction of the face, and whatever reaches the crop's border
is feathered there too: the border itself never shows. All of it works on
(size, size) float32 arrays, 0 (keep the frame) to 1 (take the swap).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import align, regions, smooth_mask
from engine.align import Points
from engine.errors import EngineError
from engine.face import Mask
from engine.skin import SKIN_RULES, SkinRule

SHAPES = ("hull", "hull-eyes", "skin", "rect", "model", "occlusion")
"""`hull`: convex hull of the landmarks. `hull-eyes`: from the jaw up to the border of eyes and
brows, as far as classic landmarks reach; the forehead stays the person's own. `skin`: what a
skin rule accepts around the face, plus eyes, nose and mouth. `rect`: the classic square, from the
brows to below the lower lip, which needs no landmarks. `model`: what the model itself marked.
`occlusion`: the hull without hair, background and hands that cross its edge."""

FeatherProfile: TypeAlias = Literal["ramp", "smooth_mask"]
FEATHER_PROFILES: tuple[FeatherProfile, ...] = get_args(FeatherProfile)
"""`ramp`: from the shape's edge inward, as wide as erode and feather say. `smooth_mask`: the
classic converter's inset rectangle and Gaussian, see `engine.smooth_mask`."""

SkinMethod: TypeAlias = Literal["calibrated", SkinRule]
SKIN_METHODS: tuple[SkinMethod, ...] = ("calibrated", *SKIN_RULES)
"""`calibrated`: the person's own skin, learned from the face; else a fixed rule."""

MIN_SKIN = 0.35
"""A skin mask that covers less of the hull than this has failed (a gray picture, or skin that a
fixed rule does not know)."""

MAX_HOLE = 0.05
"""A hole in a model's mask of less than this share of the face is filled."""

_CLASSIC_BOX = (smooth_mask.LEFT, smooth_mask.TOP, smooth_mask.SIDE)
_SUBPIXEL_BITS = 4
_BESIDE = 0.03  # of the face's size, how far beyond the landmarks' hull skin is looked for
_ASIDE = 0.4  # how much the hull gives way beside the brows, relative to above


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
    return _coverage(_filled(points, size))


def face_hull(points: Points, size: int, margin: float) -> Mask:
    """Hull of a face with room for the softening that follows, where a face has it.

    Softening takes from the inside. Raised brows would come to lie in the soft rim and show
    twice, and so would a beard under the chin: there the hull is made longer, onto forehead
    and neck, which are skin. At the ends of the brows it is a little wider, at the cheeks it
    is not: beside them is background.

    Args:
        points: (478, 2) landmarks in pixels of an upright crop.
        size: side of the crop.
        margin: in pixels, how much longer at the brows and at the chin.
    """
    brows = points[regions.BROWS]
    aside = np.sign(brows[:, 0] - brows[:, 0].mean())
    higher = brows + margin * np.column_stack([_ASIDE * aside, np.full_like(aside, -1.0)])
    jaw = points[regions.JAW]
    mouth, chin = points[regions.LIPS, 1].mean(), jaw[:, 1].max()
    lower = np.clip((jaw[:, 1] - mouth) / max(float(chin - mouth), 1.0), 0.0, 1.0)
    longer = jaw + np.column_stack([np.zeros_like(lower), margin * lower])
    return hull(np.concatenate([points, higher, longer]), size)


def hull_eyes(points: Points, size: int) -> Mask:
    """Convex hull of jaw and brows, antialiased; arguments as of `hull`."""
    return hull(points[regions.JAW_TO_BROWS], size)


def rect(size: int) -> Mask:
    """The classic face box, from the brows to just under the lower lip, brow to brow."""
    x, y, side = (value * size / smooth_mask.CROP for value in _CLASSIC_BOX)
    corners = [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
    return hull(np.array(corners) - 0.5, size)


def skin(accepted: NDArray[np.uint8], points: Points) -> NDArray[np.uint8] | None:
    """The face's part of what has skin color: largest component, without holes.

    Args:
        accepted: (size, size) uint8, above 0 where a crop's color is skin.
        points: (N, 2) landmarks in pixels of the crop; nothing far from their hull counts, as
            walls and hair may have the color of skin.

    Returns:
        (size, size) uint8, 0 or 255, or None if there is too little skin (see `MIN_SKIN`).
    """
    size = accepted.shape[0]
    face = _filled(points, size) > 127
    face_px = np.count_nonzero(face)
    near = _filled(points, size, margin=_BESIDE * math.sqrt(face_px)) > 127
    inside = np.where(near, accepted, np.uint8(0))
    opened = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    component = _largest(np.asarray(opened, np.uint8))
    if component is None:
        return None
    outlines, _ = cv2.findContours(component, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(component, outlines, -1, 255, cv2.FILLED)
    if np.count_nonzero(component[face]) < MIN_SKIN * face_px:
        return None
    return component


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


def _coverage(drawn: NDArray[np.uint8]) -> Mask:
    return np.asarray(drawn.astype(np.float32) * np.float32(1 / 255), np.float32)


def _largest(mask: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The largest connected part, 0 or 255, or None if there is nothing."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if len(stats) < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest, np.uint8) * np.uint8(255)


def from_model(mask: Mask | None, size: int) -> Mask | None:
    """A model's mask at the crop's size: small holes filled, only its largest part kept.

    Args:
        mask: (S, S) float32 of any size, not changed; NaN counts as 0. None if there is none.
        size: side of the crop.

    Returns:
        (size, size) float32 0..1, or None if there is no mask or no number in it.
    """
    if mask is None or np.isnan(mask).all():
        return None
    return np.clip(align.resized(_without_specks(mask), size), 0.0, 1.0)


def inner_face(points: Points, size: int, margin: float) -> Mask:
    """Eyes, brows, nose and mouth, widened by `margin` pixels; else as `hull`."""
    return _coverage(_filled(points[regions.INNER_FACE], size, margin))


def _without_specks(mask: Mask) -> Mask:
    finite = np.nan_to_num(np.asarray(mask, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    part = _largest((finite > 0.5).astype(np.uint8))
    if part is None:
        return finite
    cleaned = np.where((finite > 0.5) & (part == 0), np.float32(0), finite)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((part == 0).astype(np.uint8))
    edge = set(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]).tolist())
    limit = MAX_HOLE * np.count_nonzero(part)
    for label in range(1, len(stats)):
        if label not in edge and stats[label, cv2.CC_STAT_AREA] < limit:
            cleaned[labels == label] = 1.0
    return cleaned


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
