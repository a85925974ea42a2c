"""Shut the eyes and open the mouth of a portrait.

Free portraits smile with open eyes. What a face does in a call must be learned from real
faces too, so it is done to the portrait: lids are drawn down over the eyes, and the jaw is
let down from the upper lip. At the size that a network reads, that looks like the real thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image, Landmarks
from export.persona.expressions import SIDES, Expression

Field = NDArray[np.float32]

# From the outer corner to the inner one: upper lid, lower lid, lower edge of the brow.
_EYES: Final = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (46, 53, 52, 65, 55),
    ),
    (
        (263, 466, 388, 387, 386, 385, 384, 398, 362),
        (263, 249, 390, 373, 374, 380, 381, 382, 362),
        (276, 283, 282, 295, 285),
    ),
)
# Inner edges of the lips, from corner to corner.
_UPPER_LIP: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_LOWER_LIP: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_CHIN: Final = 152
_FOREHEAD: Final = 10

# How far the rig's lids and jaw have to go, measured on renderings of Maro: weights of its
# units beside the share of the eye that they cover and the gap between the lips.
_LIDS: Final = (0.0, 0.2, 0.7, 0.8, 1.0)
_CLOSURE: Final = (0.0, 0.5, 0.8, 0.95, 1.0)
_JAW: Final = (0.0, 0.036, 0.056, 0.086, 0.136, 0.156, 0.2)
_OPENING: Final = (0.0, 0.12, 0.25, 0.5, 0.75, 1.0, 1.25)

_MOUTH_BGR: Final = np.array([38.0, 26.0, 58.0], np.float32)
_TONGUE_BGR: Final = np.array([88.0, 74.0, 150.0], np.float32)
_TEETH_BGR: Final = np.array([196.0, 206.0, 214.0], np.float32)


def shut_eyes(image: Image, landmarks: Landmarks, how_far: float) -> Image:
    """Draw the upper lids down.

    Args:
        image: (H, W, 3) uint8 BGR, a roughly upright face; not changed.
        landmarks: (478, 2) in pixels.
        how_far: 0 leaves them, 1 shuts them.

    Returns:
        A new picture of the same size.
    """
    x, y = _grid(image)
    source = y.copy()
    for upper, lower, brow in _EYES:
        left, right = sorted((landmarks[upper[0], 0], landmarks[upper[-1], 0]))
        lid, rest, top = (_curve(landmarks, points, x[0]) for points in (upper, lower, brow))
        top = np.minimum(top, lid - 1.0)
        lowered = lid + how_far * 0.97 * (rest - lid)
        between = (x >= left) & (x <= right)
        above = between & (y >= top) & (y < lowered)
        eye = between & (y >= lowered) & (y < rest)
        stretched = top + (y - top) * ((lid - top) / (lowered - top))
        squeezed = lid + (y - lowered) * ((rest - lid) / np.maximum(rest - lowered, 1e-3))
        source = np.where(above, stretched, np.where(eye, squeezed, source))
    return _sampled(image, x, source)


def open_mouth(
    image: Image, landmarks: Landmarks, how_far: float, rng: np.random.Generator
) -> Image:
    """Let the jaw down and show what is behind the lips.

    Args:
        image: (H, W, 3) uint8 BGR, a roughly upright face; not changed.
        landmarks: (478, 2) in pixels.
        how_far: by how much, as a fraction of the face's height; 0.15 is a wide-open mouth.
        rng: chooses teeth and tongue.

    Returns:
        A new picture of the same size.
    """
    x, y = _grid(image)
    upper, lower = (_curve(landmarks, points, x[0]) for points in (_UPPER_LIP, _LOWER_LIP))
    chin = float(landmarks[_CHIN, 1])
    drop = how_far * (chin - float(landmarks[_FOREHEAD, 1]))
    corners = landmarks[[_UPPER_LIP[0], _UPPER_LIP[-1]], 0]
    half = max(float(np.ptp(corners)) / 2, 1.0)
    aside = (x[0] - float(corners.mean())) / half
    at_lip = drop * np.clip(1.0 - aside**2, 0.0, 1.0) ** 0.7
    at_chin = drop * np.exp(-((aside / 1.8) ** 2))
    lip = lower + at_lip
    # From the lip's own shape to the chin's, and below the chin back to nothing.
    down = np.clip((y - lip) / max(chin + drop - float(lip.min()), 1.0), 0.0, 1.0)
    fade = np.clip(1.0 - (y - chin - drop) / (0.5 * (chin - float(lower.min())) + drop), 0.0, 1.0)
    moved = (at_lip * (1.0 - down) + at_chin * down) * fade
    source = np.where(y >= lip, y - moved, y)
    opened = _sampled(image, x, source).astype(np.float32)
    inside = (np.abs(aside) < 1.0) & (y > lower) & (y < lip)
    light = np.clip(float(np.median(image[_face_box(landmarks, image)])) / 140.0, 0.15, 1.4)
    depth = (y - upper) / np.maximum(lip - upper, 1.0)
    tongue = np.clip((depth - rng.uniform(0.45, 0.8)) * 4.0, 0.0, 1.0)[..., None]
    color = _MOUTH_BGR + (tongue * rng.uniform(0.3, 1.0)) * (_TONGUE_BGR - _MOUTH_BGR)
    closed = float((lower - upper).max()) < 0.25 * drop
    if closed and rng.random() < 0.6:
        teeth = np.clip((rng.uniform(0.15, 0.4) - depth) * 8.0, 0.0, 1.0)[..., None]
        color += teeth * (_TEETH_BGR - color)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)[..., None]
    mixed = opened + soft * (color * light - opened)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


@dataclass(frozen=True, slots=True)
class Performance:
    """What a portrait is made to do.

    Attributes:
        lids: 0 leaves the eyes as they are, 1 shuts them.
        jaw: how much lower the lower lip comes to lie, as a fraction of the face's height.
    """

    lids: float
    jaw: float

    def added_to(self, expression: Expression) -> Expression:
        """What the rig has to do in addition, for its eyes and mouth to open as far."""
        units = dict(expression.units)
        closure = float(np.interp(self.lids, _LIDS, _CLOSURE))
        for side in SIDES:
            name = f"eye-{side}-closure"
            units[name] = max(units.get(name, 0.0), closure)
        opening = float(np.interp(self.jaw, _JAW, _OPENING))
        units["mouth-open"] = min(units.get("mouth-open", 0.0) + opening, 1.0)
        # Parted lips and a grin on top of a lowered jaw would tear the rig's mouth open.
        calm = 1.0 - units["mouth-open"]
        for name, least in (("mouth-part-later", 0.0), ("mouth-corner-puller", 0.35)):
            units[name] = min(units.get(name, 0.0), least + (1.0 - least) * calm)
        return Expression(units, expression.gaze_deg)


def random_performance(rng: np.random.Generator) -> Performance:
    """Shut eyes, an open mouth, or both, each by a random amount.

    Eyes are shut in a quarter of them: where a network cannot see, behind glasses or in the
    dark, it guesses by how often it was shown shut ones.
    """
    speaks = rng.random() < 0.8
    blinks = not speaks or rng.random() < 0.08
    return Performance(
        lids=float(rng.uniform(0.6, 1.0)) if blinks else 0.0,
        jaw=float(rng.uniform(0.015, 0.12)) if speaks else 0.0,
    )


def perform(
    image: Image, landmarks: Landmarks, performance: Performance, rng: np.random.Generator
) -> Image:
    """Make a portrait do something.

    Args:
        image: (H, W, 3) uint8 BGR, a roughly upright face; not changed.
        landmarks: (478, 2) in pixels.
        performance: what to do.
        rng: chooses teeth and tongue.

    Returns:
        A new picture of the same size.
    """
    if performance.lids > 0.0:
        image = shut_eyes(image, landmarks, performance.lids)
    if performance.jaw > 0.0:
        image = open_mouth(image, landmarks, performance.jaw, rng)
    return image


def _grid(image: Image) -> tuple[Field, Field]:
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x, y


def _curve(landmarks: Landmarks, indices: tuple[int, ...], x: Field) -> Field:
    """Height of an outline at every column; level beyond its ends."""
    points = landmarks[list(indices)]
    order = np.argsort(points[:, 0])
    return np.asarray(np.interp(x, points[order, 0], points[order, 1]), np.float32)


def _sampled(image: Image, x: Field, y: Field) -> Image:
    sampled = cv2.remap(
        image, x, y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(sampled, np.uint8)


def _face_box(landmarks: Landmarks, image: Image) -> tuple[slice, slice]:
    height, width = image.shape[:2]
    left, top = np.clip(landmarks.min(axis=0), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.ceil(landmarks.max(axis=0)).astype(int)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
