"""Faces that no network was trained on, to judge a model by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import apply
from engine.assets import landmark_model
from engine.landmarks import Landmarker
from export.augment import NO_AUGMENT, paired_sample
from export.classic import STILL, classic_samples, store
from export.crop_folder import read_crops
from export.dataset import Kind, list_shards, stored_to_crop
from export.face_folders import FaceFolders
from export.model import Side
from export.pair_folder import load_shard
from export.samples import Batch, spread

_SIDES: Final[tuple[Side, Side]] = ("a", "b")


@dataclass(frozen=True, slots=True, eq=False)
class HeldAside:
    """N faces at a network's input size S and output size T, all BGR.

    Attributes:
        face: (N, S, S, 3) uint8, what the network sees.
        picture: (N, T, T, 3) uint8, the same faces.
        region: (N, T, T) uint8, 255 on the face.
        landmarks: (N, 478, 2) float32 in pixels of `picture`, or None if they are not known,
            see `find_landmarks`.
        truth: (N, T, T, 3) uint8, the persona doing the same, or None if nobody knows.
        truth_face: (N, S, S, 3) uint8, the same at the input size.
        rendered: (N,) whether the face is a render of nobody real, or None if nobody knows.
        left_out: why pictures of the folder are not among them, a line each.
    """

    face: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    region: NDArray[np.uint8]
    landmarks: NDArray[np.float32] | None = None
    truth: NDArray[np.uint8] | None = None
    truth_face: NDArray[np.uint8] | None = None
    rendered: NDArray[np.bool_] | None = None
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.face)

    def own(self) -> dict[Side, HeldAside]:
        """What decoders should draw unchanged: A these faces, B the truth if it is known."""
        faces: dict[Side, HeldAside] = {"a": self}
        if self.truth is not None and self.truth_face is not None:
            faces["b"] = HeldAside(self.truth_face, self.truth, self.region)
        return faces


def held_aside(folder: Path, input_size: int, output_size: int, count: int) -> HeldAside:
    """Read faces from shards of pairs, held-out ones if there are any, or from pictures.

    Args:
        folder: of shards, or of pictures of aligned faces that were not trained on.
        input_size: S.
        output_size: T.
        count: at most so many, evenly from first to last.

    Raises:
        TrainingError: there is no such face, or a shard is damaged.
    """
    still = np.random.default_rng(0)  # nothing is varied
    shards = list_shards(folder, holdout=True) or list_shards(folder)
    if not shards:
        crops = read_crops(folder, FaceFolders.STORED_SIZE)
        chosen = [face.picture for face in spread(crops.faces, count)]
        faces = [store(picture, None, (input_size, output_size)) for picture in chosen]
        cut = classic_samples(faces, still, STILL, input_size=input_size, output_size=output_size)
        return replace(of_batch(Batch("a", *cut)), left_out=tuple(crops.left_out))
    pairs = spread([pair for shard in shards for pair in load_shard(shard).masked()], count)
    own, swapped = (
        [
            paired_sample(
                pair, still, NO_AUGMENT, side=side, input_size=input_size, output_size=output_size
            )
            for pair in pairs
        ]
        for side in _SIDES
    )
    truth = np.stack([sample.target for sample in swapped])
    to_crop = stored_to_crop(output_size)
    return HeldAside(
        np.stack([sample.face for sample in own]),
        np.stack([sample.target for sample in own]),
        np.stack([sample.region for sample in swapped]),
        np.stack([apply(to_crop, pair.a_landmarks) for pair in pairs]).astype(np.float32),
        truth,
        _shrink(truth, input_size),
        np.array([pair.kind is Kind.RENDER for pair in pairs]),
    )


def of_batch(batch: Batch) -> HeldAside:
    """Held-out faces of a training folder, as `FaceFolders.validation` gives them."""
    return HeldAside(batch.face, batch.target, batch.region)


def find_landmarks(pictures: NDArray[np.uint8]) -> list[NDArray[np.float32] | None]:
    """Find the landmarks of aligned faces.

    Args:
        pictures: (N, T, T, 3) uint8 BGR.

    Returns:
        For each (478, 2) in its pixels, or None where no face was found.
    """
    found: list[NDArray[np.float32] | None] = []
    with Landmarker(landmark_model()) as landmarker:
        for picture in pictures:
            # The detector looks for whole heads, an aligned crop ends at the chin.
            margin = picture.shape[0] // 2
            padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), "edge")
            faces = landmarker.detect(padded)
            found.append(faces[0] - np.float32(margin) if faces else None)
    return found


def _shrink(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    small = [cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures]
    return np.asarray(np.stack(small), np.uint8)
