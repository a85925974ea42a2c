"""Training samples of pairs: somebody and the persona doing the same.

A crop's unit square spans it from edge to edge, so pixel i of n has its center at
(i + 0.5) / n: see `engine.align`. Input and target of a sample show the same place at any
size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from engine.align import apply
from engine.face import Image, Matrix
from export.dataset import MaskedPair, stored_to_crop
from export.occluders import random_glasses, random_occluder
from export.photometry import random_camera
from export.regions import detail_map

if TYPE_CHECKING:
    from export.model import Side


class Sample(NamedTuple):
    """One training example at input size S and output size T, all uint8, BGR.

    Attributes:
        face: (S, S, 3) what the network sees.
        target: (T, T, 3) what the decoder shall draw.
        mask: (T, T) 255 where `face` shows uncovered face.
        region: (T, T) 255 on the face, where the target counts fully.
        detail: (T, T) how much a viewer looks at this place of the target.
    """

    face: Image
    target: Image
    mask: Image
    region: Image
    detail: Image


@dataclass(frozen=True)
class PairAugment:
    """How much pairs are varied; the defaults train the bundled persona.

    Attributes:
        rotation_deg: half range of the turn common to both.
        scale: half range of the relative scale common to both.
        shift: half range of the common shift, in unit squares.
        jitter: sigma of the extra shift of A alone, in unit squares: its landmarks are
            found by a detector that errs.
        occluder: how often something is in front of A.
        glasses: how often A wears a drawn frame.
        camera: whether A's colors, light, sharpness, noise and compression vary.
    """

    rotation_deg: float = 7.0
    scale: float = 0.05
    shift: float = 0.025
    jitter: float = 0.004
    occluder: float = 0.25
    glasses: float = 0.08
    camera: bool = True


def similarity(size: int, angle_deg: float, scale: float, shift: tuple[float, float]) -> Matrix:
    """Turn and scale a square picture about its center, then shift it.

    Args:
        size: side of the picture in pixels.
        angle_deg: turn, from x to y.
        scale: larger than 1 enlarges.
        shift: x, y relative to `size`.

    Returns:
        (2, 3) map between pixels of the picture.
    """
    angle = np.deg2rad(angle_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    center = np.full(2, (size - 1) / 2)
    return np.column_stack([linear, center - linear @ center + size * np.array(shift)])


def _after(second: Matrix, first: Matrix) -> Matrix:
    """(2, 3) map that applies `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def _cut(masked: Image, matrix: Matrix, size: int) -> tuple[Image, Image]:
    """Picture and mask of a crop."""
    # Reading it from first to last byte before brings it into the cache: 95 -> 55 microseconds.
    cut = cv2.warpAffine(
        masked.copy(), matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    picture, mask = cv2.cvtColor(cut, cv2.COLOR_BGRA2BGR), cv2.extractChannel(cut, 3)
    return np.asarray(picture, np.uint8), np.asarray(mask, np.uint8)


def _shrink(image: Image, size: int) -> Image:
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def paired_sample(  # noqa: PLR0913  # each is a fact of its own
    pair: MaskedPair,
    rng: np.random.Generator,
    augment: PairAugment,
    *,
    side: Side,
    input_size: int,
    output_size: int,
) -> Sample:
    """Vary one pair.

    A and B move together; A alone gets everything that happens to real pictures, and the
    target stays clean. The mask leaves out what was put in front of A.

    Args:
        pair: what is stored, not changed.
        rng: source of all randomness.
        augment: how much to vary.
        side: whether to draw A itself or B in its place.
        input_size: side of the network's input.
        output_size: side of its output.
    """
    angle = rng.uniform(-augment.rotation_deg, augment.rotation_deg)
    scale = 1.0 + rng.uniform(-augment.scale, augment.scale)
    dx, dy = rng.uniform(-augment.shift, augment.shift, 2)
    moved = similarity(output_size, angle, scale, (dx, dy))
    to_b = _after(moved, stored_to_crop(output_size))
    to_a = to_b.copy()
    to_a[:, 2] += output_size * rng.normal(0.0, augment.jitter, 2)
    a, region = _cut(pair.a, to_a, output_size)
    mask = region
    seen = random_glasses(a, rng) if rng.random() < augment.glasses else a
    if rng.random() < augment.occluder:
        seen, opacity = random_occluder(seen, rng)
        mask = np.asarray(cv2.min(mask, 255 - opacity), np.uint8)
    face = _shrink(seen, input_size)
    if augment.camera:
        face = random_camera(face, rng)
    if side == "a":
        landmarks = apply(to_a, pair.a_landmarks)
        return Sample(face, a, mask, region, detail_map(landmarks, output_size))
    b, b_region = _cut(pair.b, to_b, output_size)
    # Both ovals: the swap is pasted where A's face was, which B's may not fill.
    region = np.asarray(cv2.max(region, b_region), np.uint8)
    landmarks = apply(to_b, pair.b_landmarks)
    return Sample(face, b, mask, region, detail_map(landmarks, output_size))


NO_AUGMENT: Final = PairAugment(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, camera=False)
"""Leaves a pair as it is, for validation and previews."""
