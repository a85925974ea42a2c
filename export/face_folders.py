"""Training data without pairs: one folder of aligned faces a person."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from engine.face import Image
from export.classic import STILL, ClassicAugment, StoredFace, classic_samples, store
from export.errors import TrainingError
from export.model import Plan, Side
from export.samples import Batch, spread

PICTURES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})


class FaceFolders:
    """Two folders of aligned faces, one person each: the unpaired data of 2017.

    Args:
        a: folder of pictures of A, square and aligned alike.
        b: the same of B.
        plan: network to make samples for.
        size: samples per side and step.
        seed: of all randomness.

    Raises:
        TrainingError: a folder has fewer than two readable pictures, or both are the same.
    """

    STORED_SIZE: Final = 256
    # One picture in so many is held out for validation.
    _HOLDOUT: Final = 16

    def __init__(self, a: Path, b: Path, plan: Plan, size: int, seed: int) -> None:
        if a.resolve() == b.resolve():
            raise TrainingError(f"A and B are both {a}, expected two folders of two people")
        self.plan, self.size, self.seed = plan, size, seed
        self.augment = ClassicAugment(occluder=0.3 if plan.mask else 0.0)
        self._faces: dict[Side, list[StoredFace]] = {}
        self._held_out: dict[Side, list[StoredFace]] = {}
        crops = (plan.input_size, plan.output_size)
        sides: tuple[tuple[Side, Path], ...] = (("a", a), ("b", b))
        for side, folder in sides:
            pictures = read_faces(folder, self.STORED_SIZE)
            faces = [store(picture, None, crops) for picture in pictures]
            self._held_out[side] = faces[:: self._HOLDOUT]
            self._faces[side] = [f for i, f in enumerate(faces) if i % self._HOLDOUT]

    def refresh(self) -> int:
        """How many faces there are; the folders are read once."""
        return sum(map(len, self._faces.values()))

    def counts(self) -> dict[str, int]:
        """Faces by side."""
        return {side: len(faces) for side, faces in self._faces.items()}

    def draw(self, step: int) -> list[Batch]:
        """Samples of one step: a batch for decoder A, one for decoder B."""
        rng = np.random.default_rng((self.seed, step))
        return [
            self._batch(
                side,
                [faces[i] for i in rng.integers(len(faces), size=self.size)],
                rng,
                self.augment,
            )
            for side, faces in self._faces.items()
        ]

    def validation(self, count: int) -> list[Batch]:
        """Unchanged held-out faces, the same every time."""
        rng = np.random.default_rng(self.seed)
        return [
            self._batch(side, spread(faces, max(count // 2, 1)), rng, STILL)
            for side, faces in self._held_out.items()
        ]

    def _batch(
        self, side: Side, faces: list[StoredFace], rng: np.random.Generator, augment: ClassicAugment
    ) -> Batch:
        sizes = {"input_size": self.plan.input_size, "output_size": self.plan.output_size}
        return Batch(side, *classic_samples(faces, rng, augment, **sizes))


def read_faces(folder: Path, size: int) -> list[Image]:
    """Read all pictures of a folder, in the order of their names, as size x size BGR.

    Raises:
        TrainingError: fewer than two can be read.
    """
    faces = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICTURES:
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            faces.append(
                np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
            )
    if len(faces) < 2:
        raise TrainingError(
            f"{folder} has {len(faces)} readable pictures, expected at least 2 (better 300); "
            f"supported are {', '.join(sorted(PICTURES))}"
        )
    return faces
