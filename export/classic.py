"""Training samples of one person alone: the classic system's geometry and parameters.

Every place is in units of the picture's side, relative to its center, as a complex number
x + iy: a similarity is then one product and one sum, for a whole batch at once. All moves of a
sample are joined before a pixel is read, so each of its pictures is resampled once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import apply, invert
from engine.face import Image, Matrix
from export.augment import Sample
from export.dataset import face_hull
from export.occluders import random_occluder
from export.photometry import random_camera
from export.regions import detail_map

COVERAGE: Final = 160 / 256
"""Side of the part that is cut out, in units of the picture's side."""

_GRID: Final = 5  # knots along a side
_CENTER: Final = 0.5 + 0.5j


@dataclass(frozen=True)
class ClassicAugment:
    """How much faces are varied; the defaults are those of 2017.

    Attributes:
        rotation_deg: half range of the turn.
        zoom: half range of the relative scale.
        shift: half range of the shift, in units of the picture's side.
        flip: how often the face is mirrored.
        sigma: of the warp's noise at each of 5x5 knots, in units of the picture's side.
        occluder: how often something is in front of the face, for networks with a mask.
        camera: whether colors, light, sharpness, noise and compression of what the network
            sees vary; the target stays clean.
    """

    rotation_deg: float = 10.0
    zoom: float = 0.05
    shift: float = 0.05
    flip: float = 0.4
    sigma: float = 5 / 256
    occluder: float = 0.0
    camera: bool = False


STILL: Final = ClassicAugment(0.0, 0.0, 0.0, 0.0, 0.0)
"""Cuts the center out and changes nothing, for validation and previews."""


class StoredFace(NamedTuple):
    """A face of a folder, ready to be cut out at some sizes.

    Attributes:
        pictures: by size of the crop: (S, S, 4) uint8, BGR and 255 on the face. The one for
            small crops is shrunk before, so that sampling it skips no pixels. OpenCV moves
            four channels 2.5 times as fast as three.
        landmarks: (478, 2) in units of the picture's side from its corner; None if unknown,
            then everything counts as face.
    """

    pictures: dict[int, Image]
    landmarks: NDArray[np.float64] | None


def store(
    picture: Image, landmarks: NDArray[np.float64] | None, sizes: Sequence[int]
) -> StoredFace:
    """Prepare a face once for many samples.

    Args:
        picture: (S, S, 3) uint8 BGR aligned face with the margin of `COVERAGE`, not changed.
        landmarks: as in `StoredFace`.
        sizes: sides of the crops that will be cut out.
    """
    side = len(picture)
    if landmarks is None:
        face = np.full((side, side), 255, np.uint8)
    else:
        face = face_hull((landmarks * side - 0.5).astype(np.float32), side)
    masked = cv2.merge([picture, face])
    pictures = {}
    for size in sizes:
        halved = side
        while halved * COVERAGE >= 2 * size:
            halved //= 2
        pictures[size] = np.asarray(
            cv2.resize(masked, (halved, halved), interpolation=cv2.INTER_AREA), np.uint8
        )
    return StoredFace(pictures, landmarks)


class Warps(NamedTuple):
    """The geometry of N samples, as places in their pictures.

    Attributes:
        knots: (N, 5, 5) complex, what the bent crop shows at 5x5 places, edge to edge.
        frames: (N, 3) complex, what the target shows at its center, and the steps from there
            to a place one side of the target further right and one further down.
    """

    knots: NDArray[np.complex128]
    frames: NDArray[np.complex128]


def random_warps(count: int, rng: np.random.Generator, augment: ClassicAugment) -> Warps:
    """Turn, scale, shift, sometimes mirror, then bend by a noisy 5x5 grid.

    The network has to undo what no camera can do to a face, and so learns what faces are. Its
    target is the best rigid version of the bent face: the similarity that takes the noisy grid
    to the regular one with the least squared error.

    Args:
        count: N.
        rng: source of all randomness.
        augment: how much to vary.

    Source:
        Method and parameters of the 2017 system, whose two halves used pixel conventions half
        a pixel apart; here they share one. Of complex numbers the least-squares similarity is
        a ratio of two sums; it equals `engine.align.umeyama`.
    """
    column = (count, 1)
    angle = np.deg2rad(rng.uniform(-augment.rotation_deg, augment.rotation_deg, column))
    turn = rng.uniform(1 - augment.zoom, 1 + augment.zoom, column) * np.exp(1j * angle)
    shift = _complex(rng.uniform(-augment.shift, augment.shift, (count, 1, 2)))
    mirrored = rng.random(column) < augment.flip

    def in_picture(varied: NDArray[np.complex128]) -> NDArray[np.complex128]:
        unmirrored = np.where(mirrored, -varied.conj(), varied)
        return np.asarray((unmirrored - shift) / turn, np.complex128)

    regular = _regular_grid()
    noise = rng.normal(0.0, 1.0, (count, _GRID * _GRID, 2)) * augment.sigma
    bent = COVERAGE * regular + _complex(noise)
    middle = bent.mean(axis=1, keepdims=True)
    centered = bent - middle
    to_regular = (centered.conj() * regular).sum(axis=1, keepdims=True) / (
        (centered.real**2 + centered.imag**2).sum(axis=1, keepdims=True)
    )
    corners = in_picture(np.array([0.0, 1.0, 1.0j]) / to_regular + middle)
    frames = np.column_stack([corners[:, 0], corners[:, 1:] - corners[:, :1]])
    return Warps(in_picture(bent).reshape(-1, _GRID, _GRID), frames)


def _complex(pairs: NDArray[np.float64]) -> NDArray[np.complex128]:
    """(..., 2) x, y -> (...) x + iy."""
    return np.asarray(pairs[..., 0] + 1j * pairs[..., 1])


@cache
def _regular_grid() -> NDArray[np.complex128]:
    """(25,) knots over a square of side 1, row by row."""
    along = np.linspace(-0.5, 0.5, _GRID)
    return (along + 1j * along[:, None]).ravel()


@cache
def _interpolation(size: int) -> NDArray[np.float32]:
    """(size, 5) share of each knot in each pixel of a line, linear in between."""
    knots = np.arange(_GRID)
    place = (np.arange(size)[:, None] + 0.5) / size * (_GRID - 1)
    return np.asarray(np.maximum(1 - np.abs(place - knots), 0), np.float32)


def bend(picture: Image, knots: NDArray[np.complex128], size: int) -> Image:
    """Read a picture along a bent grid, bilinear between the knots.

    Args:
        picture: (S, S, C) uint8, not changed. Outside of it the edge pixels repeat.
        knots: (5, 5) places in it, see `Warps`.
        size: side of the result.

    Returns:
        (size, size, C) uint8, a new array.
    """
    pixels = (knots + _CENTER) * len(picture) - _CENTER
    weights = _interpolation(size)
    places = weights @ np.stack([pixels.real, pixels.imag]).astype(np.float32) @ weights.T
    bent = cv2.remap(
        picture, places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, np.uint8)


def target_to_picture(frame: NDArray[np.complex128], size: int, side: int) -> Matrix:
    """(2, 3) map from pixels of a `size` x `size` target to pixels of a picture.

    Args:
        frame: (3,) see `Warps`.
        size: side of the target in pixels.
        side: the picture's.
    """
    center, right, down = frame
    first = center + (right + down) * (0.5 / size - 0.5) + _CENTER
    columns = np.array([right * side / size, down * side / size, first * side - _CENTER])
    return np.stack([columns.real, columns.imag])


def classic_samples(
    faces: Sequence[StoredFace],
    rng: np.random.Generator,
    augment: ClassicAugment,
    *,
    input_size: int,
    output_size: int,
) -> Sample:
    """Vary faces of one person.

    Args:
        faces: N of them, stored for both sizes; not changed.
        rng: source of all randomness.
        augment: how much to vary.
        input_size: side of the network's input.
        output_size: side of its output.

    Returns:
        The N samples stacked. Without noise, face and target show the same at the same size.
    """
    count = len(faces)
    warps = random_warps(count, rng, augment)
    seen = np.empty((count, input_size, input_size, 3), np.uint8)
    target = np.empty((count, output_size, output_size, 3), np.uint8)
    mask, region, detail = np.zeros((3, count, output_size, output_size), np.uint8)
    for index, (face, knots, frame) in enumerate(zip(faces, *warps, strict=True)):
        # A copy brings a picture into the cache; resampling it first would wait for memory.
        pictures = {size: picture.copy() for size, picture in face.pictures.items()}
        bent = bend(pictures[input_size], knots, input_size)
        cv2.cvtColor(bent, cv2.COLOR_BGRA2BGR, seen[index])
        picture = pictures[output_size]
        to_picture = target_to_picture(frame, output_size, len(picture))
        cut = cv2.warpAffine(
            picture,
            to_picture,
            (output_size, output_size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.cvtColor(cut, cv2.COLOR_BGRA2BGR, target[index])
        cv2.extractChannel(cut, 3, region[index])
        mask[index] = region[index]
        if face.landmarks is not None:
            pixels = apply(invert(to_picture), face.landmarks * len(picture) - 0.5)
            detail[index] = detail_map(pixels, output_size)
        if rng.random() < augment.occluder:
            seen[index], opacity = random_occluder(seen[index], rng)
            covered = cv2.resize(opacity, (output_size, output_size))
            cv2.min(region[index], 255 - covered, mask[index])
        if augment.camera:
            seen[index] = random_camera(seen[index], rng)
    return Sample(seen, target, mask, region, detail)
