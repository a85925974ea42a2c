"""Training samples: geometry of the classic system and of pairs, one convention for both.

A crop's unit square spans it from edge to edge, so pixel i of n has its center at
(i + 0.5) / n: see `engine.align`. Input and target of a sample show the same place at any
size; a noise-free warp equals its target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from engine.align import apply, umeyama
from engine.face import Image, Matrix
from export.dataset import Shard, stored_to_crop
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


def _cut(image: Image, matrix: Matrix, size: int) -> Image:
    cut = cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, np.uint8)


def _shrink(image: Image, size: int) -> Image:
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def paired_sample(  # noqa: PLR0913  # each is a fact of its own
    shard: Shard,
    row: int,
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
        shard: where the pair is stored, not changed.
        row: which pair of the shard.
        rng: source of all randomness.
        augment: how much to vary.
        side: whether to draw A itself or B in its place.
        input_size: side of the network's input.
        output_size: side of its output.
    """
    angle = rng.uniform(-augment.rotation_deg, augment.rotation_deg)
    scale = 1.0 + rng.uniform(-augment.scale, augment.scale)
    dx, dy = rng.uniform(-augment.shift, augment.shift, 2)
    jitter_x, jitter_y = rng.normal(0.0, augment.jitter, 2)
    cut_out = stored_to_crop(output_size)
    to_b = _after(similarity(output_size, angle, scale, (dx, dy)), cut_out)
    to_a = _after(similarity(output_size, angle, scale, (dx + jitter_x, dy + jitter_y)), cut_out)
    a = _cut(shard.a[row], to_a, output_size)
    region = mask = _cut(shard.a_mask[row], to_a, output_size)
    seen = random_glasses(a, rng) if rng.random() < augment.glasses else a
    if rng.random() < augment.occluder:
        seen, opacity = random_occluder(seen, rng)
        mask = np.asarray(cv2.min(mask, 255 - opacity), np.uint8)
    face = _shrink(seen, input_size)
    if augment.camera:
        face = random_camera(face, rng)
    if side == "a":
        landmarks = apply(to_a, shard.a_landmarks[row])
        return Sample(face, a, mask, region, detail_map(landmarks, output_size))
    # Both ovals: the swap is pasted where A's face was, which B's may not fill.
    region = np.asarray(cv2.max(region, _cut(shard.mask[row], to_b, output_size)), np.uint8)
    landmarks = apply(to_b, shard.b_landmarks[row])
    b = _cut(shard.b[row], to_b, output_size)
    return Sample(face, b, mask, region, detail_map(landmarks, output_size))


NO_AUGMENT: Final = PairAugment(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, camera=False)
"""Leaves a pair as it is, for validation and previews."""


def random_transform(image: Image, rng: np.random.Generator) -> Image:
    """Turn, scale, shift and sometimes mirror a square aligned face.

    Args:
        image: (S, S, 3) uint8, not changed.
        rng: source of all randomness.

    Returns:
        (S, S, 3) uint8, a new array; edge pixels repeat.

    Source:
        Parameters of the 2017 system: 10 degrees, 5 %, 5 %, mirrored with p = 0.4.
    """
    size = image.shape[0]
    angle, scale = rng.uniform(-10.0, 10.0), rng.uniform(0.95, 1.05)
    dx, dy = rng.uniform(-0.05, 0.05, 2)
    moved = _cut(image, similarity(size, angle, scale, (dx, dy)), size)
    return np.ascontiguousarray(moved[:, ::-1]) if rng.random() < 0.4 else moved


def random_warp(  # noqa: PLR0913  # each is a fact of its own
    image: Image,
    rng: np.random.Generator,
    input_size: int,
    output_size: int,
    *,
    coverage: float = 160 / 256,
    sigma: float = 5 / 256,
) -> tuple[Image, Image]:
    """Bend a face by a noisy 5x5 grid; the target is its best rigid version.

    The network has to undo what no camera can do to a face, and so learns what faces are.

    Args:
        image: (S, S, 3) uint8, not changed.
        rng: source of all randomness.
        input_size: side of the bent picture.
        output_size: side of the target.
        coverage: side of the center part that is cut out, relative to S.
        sigma: of the grid's noise, relative to S.

    Returns:
        (input_size, input_size, 3) bent picture and (output_size, output_size, 3) target,
        both uint8. They agree if `sigma` is 0 and the sizes are the same.

    Source:
        Method and parameters of the 2017 system, whose two halves used pixel conventions
        half a pixel apart; here they share one.
    """
    size = image.shape[0]
    knots = np.linspace(0.5 - coverage / 2, 0.5 + coverage / 2, 5) * size - 0.5
    grid = np.stack(np.meshgrid(knots, knots), axis=-1) + rng.normal(0.0, sigma * size, (5, 5, 2))
    # Bilinear between the knots, which lie on the crop's edges: 0..4 over the unit square.
    place = (np.arange(input_size) + 0.5) / input_size * 4
    before = np.minimum(place.astype(int), 3)
    share = place - before
    weights = np.zeros((input_size, 5))
    weights[np.arange(input_size), before] = 1 - share
    weights[np.arange(input_size), before + 1] = share
    field = np.einsum("ya,xb,abc->yxc", weights, weights, grid, optimize=True)
    bent = cv2.remap(
        image,
        np.ascontiguousarray(field[..., 0], np.float32),
        np.ascontiguousarray(field[..., 1], np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    regular = np.linspace(0, output_size, 5) - 0.5
    corners = np.stack(np.meshgrid(regular, regular), axis=-1).reshape(-1, 2)
    target = _cut(image, umeyama(grid.reshape(-1, 2), corners), output_size)
    return np.asarray(bent, np.uint8), target


def classic_sample(  # noqa: PLR0913  # each is a fact of its own
    image: Image,
    rng: np.random.Generator,
    *,
    input_size: int,
    output_size: int,
    occluder: float = 0.0,
    still: bool = False,
) -> Sample:
    """Vary one face as the 2017 system did: `random_transform`, then `random_warp`.

    Args:
        image: (S, S, 3) uint8 BGR aligned face, not changed.
        rng: source of all randomness.
        input_size: side of the network's input.
        output_size: side of its output.
        occluder: how often something is in front of the face, for networks with a mask.
        still: cut the face out and change nothing, for validation and previews.
    """
    if still:
        face, target = random_warp(image, rng, input_size, output_size, sigma=0.0)
    else:
        face, target = random_warp(random_transform(image, rng), rng, input_size, output_size)
    everywhere = np.full((output_size, output_size), 255, np.uint8)
    mask = everywhere
    if rng.random() < occluder:
        face, opacity = random_occluder(face, rng)
        mask = 255 - np.asarray(cv2.resize(opacity, (output_size, output_size)), np.uint8)
    return Sample(face, target, mask, everywhere, np.zeros_like(everywhere))
