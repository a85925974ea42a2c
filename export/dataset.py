"""Shards of training pairs: how they are cropped, written and read.

A pair is one face A and the persona B in the same pose, each cropped by its own
landmarks. Crops are stored larger than the alignment's unit square, so that training can
shift, turn and scale them without running over the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE, Alignment
from engine.face import Image, Landmarks, Matrix
from export.replacing import replacing

STORED_SIZE = 192
"""Side of a stored crop in pixels."""

STORED_SPAN = 1.25
"""Side of a stored crop in units of the alignment's unit square, which is centered."""

UNIT_SIZE = STORED_SIZE / STORED_SPAN
"""Side of the unit square in pixels of a stored crop."""


class Kind(IntEnum):
    """Where face A comes from."""

    RENDER = 0
    PHOTO = 1


def frame_to_stored(
    landmarks: Landmarks,
    alignment: Alignment = FULL_FACE,
    *,
    size: int = STORED_SIZE,
    span: float = STORED_SPAN,
) -> Matrix:
    """(2, 3) map from frame pixels to pixels of the stored crop around a face.

    Args:
        landmarks: (478, 2) in frame pixels.
        alignment: how the face lies in the unit square.
        size: side of the crop in pixels.
        span: the same in units of the unit square, which is in the crop's center.
    """
    matrix = alignment.frame_to_crop(landmarks, size) / span
    # The crop's center stays where it is; pixel i has its center at i + 0.5.
    matrix[:, 2] += (size / 2) * (1 - 1 / span) + 0.5 / span - 0.5
    return matrix


def stored_to_crop(size: int) -> Matrix:
    """(2, 3) map from stored pixels to the `size` x `size` crop of the unit square."""
    scale = size / UNIT_SIZE
    offset = 0.5 * scale - 0.5 - (STORED_SIZE - UNIT_SIZE) / 2 * scale
    return np.array([[scale, 0.0, offset], [0.0, scale, offset]])


def face_hull(landmarks: Landmarks, size: int = STORED_SIZE) -> NDArray[np.uint8]:
    """(size, size) uint8: 255 inside the convex hull of the landmarks, else 0."""
    mask = np.zeros((size, size), np.uint8)
    # Sixteenths of a pixel keep the outline from jumping.
    hull = cv2.convexHull(landmarks.astype(np.float32)) * 16
    cv2.fillConvexPoly(mask, np.rint(hull).astype(np.int32), (255,), shift=4)
    return mask


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One training example.

    Attributes:
        a: (STORED_SIZE, STORED_SIZE, 3) uint8 BGR, any face.
        b: the same size, the persona.
        a_landmarks: (478, 2) float32 in pixels of `a`.
        b_landmarks: (478, 2) float32 in pixels of `b`.
        kind: where `a` comes from.
        identity: who `a` is; equal numbers are the same person.
    """

    a: Image
    b: Image
    a_landmarks: Landmarks
    b_landmarks: Landmarks
    kind: Kind
    identity: int


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """K pairs as stacked arrays, the fields of a shard file.

    Attributes:
        a: (K, STORED_SIZE, STORED_SIZE, 3) uint8 BGR.
        b: the same for the persona.
        mask: (K, STORED_SIZE, STORED_SIZE) uint8, 255 inside the face of `b`, else 0.
        a_mask: the same for `a`.
        a_landmarks: (K, 478, 2) float32, pixels of `a`.
        b_landmarks: (K, 478, 2) float32, pixels of `b`.
        kind: (K,) uint8, see `Kind`.
        identity: (K,) int32.
    """

    a: NDArray[np.uint8]
    b: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    a_mask: NDArray[np.uint8]
    a_landmarks: NDArray[np.float32]
    b_landmarks: NDArray[np.float32]
    kind: NDArray[np.uint8]
    identity: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.kind)

    def pairs(self) -> list[Pair]:
        """The pairs one by one; their arrays are views."""
        columns = zip(
            self.a, self.b, self.a_landmarks, self.b_landmarks, self.kind, self.identity,
            strict=True,
        )  # fmt: skip
        return [
            Pair(a, b, a_landmarks, b_landmarks, Kind(kind), int(identity))
            for a, b, a_landmarks, b_landmarks, kind, identity in columns
        ]

    def masked(self) -> list[MaskedPair]:
        """The pairs with their masks, as training draws them; pictures are copied."""
        a = np.concatenate([self.a, self.a_mask[..., None]], axis=-1)
        b = np.concatenate([self.b, self.mask[..., None]], axis=-1)
        kinds = map(Kind, self.kind)
        columns = zip(a, b, self.a_landmarks, self.b_landmarks, kinds, strict=True)
        return [MaskedPair(*column) for column in columns]


class MaskedPair(NamedTuple):
    """One training example as it is drawn from a shard; S is STORED_SIZE.

    Each mask is the fourth channel of its picture: both are moved in one go, and OpenCV moves
    four channels 2.5 times as fast as three.

    Attributes:
        a: (S, S, 4) uint8, BGR and 255 inside the face.
        b: the same of the persona.
        a_landmarks: (478, 2) float32 in pixels of `a`.
        b_landmarks: (478, 2) float32 in pixels of `b`.
        kind: where `a` comes from.
    """

    a: NDArray[np.uint8]
    b: NDArray[np.uint8]
    a_landmarks: NDArray[np.float32]
    b_landmarks: NDArray[np.float32]
    kind: Kind


def write_shard(path: Path, pairs: Sequence[Pair]) -> None:
    """Write at least one pair to a file; a reader sees the old file or the whole new one."""
    arrays = {
        "a": np.stack([pair.a for pair in pairs]),
        "b": np.stack([pair.b for pair in pairs]),
        "mask": np.stack([face_hull(pair.b_landmarks) for pair in pairs]),
        "a_mask": np.stack([face_hull(pair.a_landmarks) for pair in pairs]),
        "a_landmarks": np.stack([pair.a_landmarks for pair in pairs]).astype(np.float32),
        "b_landmarks": np.stack([pair.b_landmarks for pair in pairs]).astype(np.float32),
        "kind": np.array([pair.kind for pair in pairs], np.uint8),
        "identity": np.array([pair.identity for pair in pairs], np.int32),
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes the arrays for flags


def read_shard(path: Path) -> Shard:
    """Read a whole shard.

    Raises:
        OSError: there is no such file.
        KeyError: the file lacks a field.
    """
    with np.load(path) as file:
        return Shard(**{name: file[name] for name in Shard.__dataclass_fields__})


def list_shards(folder: Path, *, holdout: bool = False) -> list[Path]:
    """Finished shards in a folder, sorted: those for training or the held-out ones.

    More may appear while the pairs are still being rendered.
    """
    return sorted(folder.glob("holdout-*.npz" if holdout else "shard-*.npz"))
