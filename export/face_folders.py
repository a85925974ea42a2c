"""Training data without pairs: one folder of aligned faces a person."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from export.classic import STILL, ClassicAugment, StoredFace, classic_samples, store
from export.crop_folder import read_crops
from export.errors import TrainingError
from export.model import Plan, Side
from export.samples import Batch, spread

# One face in so many is held out for validation, in at most so many blocks.
_HOLDOUT: Final = 16
_BLOCKS: Final = 4


class FaceFolders:
    """Two folders of aligned faces, one person each: the unpaired data of 2017.

    Pictures are cropped as `python -m export extract` does; with its alignments file the face
    counts and not what is around it, and eyes and mouth count most.

    Args:
        a: folder of pictures of A.
        b: the same of B.
        plan: network to make samples for.
        size: samples per side and step.
        seed: of all randomness.
        vary_colors: whether colors, light, noise and sharpness vary too, see
            `ClassicAugment.camera`; all else is as in 2017, with things in front of the face
            if the network has a mask.

    Attributes:
        left_out: why pictures are not used, a line each.

    Raises:
        TrainingError: a folder has fewer than two usable pictures, or both are the same.
        ExtractionError: an alignments file is damaged.
    """

    STORED_SIZE: Final = 256

    def __init__(  # noqa: PLR0913  # each is a fact of its own
        self,
        a: Path,
        b: Path,
        plan: Plan,
        size: int,
        seed: int,
        *,
        vary_colors: bool = False,
    ) -> None:
        if a.resolve() == b.resolve():
            raise TrainingError(f"A and B are both {a}, expected two folders of two people")
        self.plan, self.size, self.seed = plan, size, seed
        self.augment = ClassicAugment(occluder=0.3 if plan.mask else 0.0, camera=vary_colors)
        self.left_out: list[str] = []
        self._faces: dict[Side, list[StoredFace]] = {}
        self._held_out: dict[Side, list[StoredFace]] = {}
        sides: tuple[tuple[Side, Path], ...] = (("a", a), ("b", b))
        for side, folder in sides:
            crops = read_crops(folder, self.STORED_SIZE)
            self.left_out += crops.left_out
            faces = [store(*crop, (plan.input_size, plan.output_size)) for crop in crops.faces]
            held_out = held_out_rows(len(faces))
            self._held_out[side] = [face for row, face in enumerate(faces) if row in held_out]
            self._faces[side] = [face for row, face in enumerate(faces) if row not in held_out]

    def refresh(self) -> int:
        """How many faces there are; the folders are read once."""
        return sum(map(len, self._faces.values()))

    def counts(self) -> dict[str, int]:
        """Faces by side."""
        return {side: len(faces) for side, faces in self._faces.items()}

    def draw(self, step: int) -> list[Batch]:
        """Samples of one step: a batch for decoder A, one for decoder B."""
        rng = np.random.default_rng((self.seed, step))
        batches = []
        for side, faces in self._faces.items():
            rows = rng.integers(len(faces), size=self.size).tolist()
            batches.append(self._batch(side, [faces[row] for row in rows], rng, self.augment))
        return batches

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


def held_out_rows(count: int) -> set[int]:
    """Which of `count` faces in the order of time are held out: the last ones of each part.

    Neighboring frames look alike; a face between two that were trained on says little.

    Args:
        count: at least 2.
    """
    parts = min(max(count // (2 * _HOLDOUT), 1), _BLOCKS)
    ends = [part * count // parts for part in range(1, parts + 1)]
    return {end - 1 - row for end in ends for row in range(max(count // parts // _HOLDOUT, 1))}
