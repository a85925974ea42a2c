"""Training data without pairs: one folder of aligned faces a person."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from engine.face import Image
from export.augment import classic_sample
from export.errors import TrainingError
from export.model import Plan, Side
from export.samples import Batch, spread, stack

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
        self._faces: dict[Side, list[Image]] = {}
        self._held_out: dict[Side, list[Image]] = {}
        sides: tuple[tuple[Side, Path], ...] = (("a", a), ("b", b))
        for side, folder in sides:
            faces = read_faces(folder, self.STORED_SIZE)
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
        occluder = 0.3 if self.plan.mask else 0.0
        return [
            stack(
                side,
                [
                    classic_sample(
                        faces[int(rng.integers(len(faces)))],
                        rng,
                        input_size=self.plan.input_size,
                        output_size=self.plan.output_size,
                        occluder=occluder,
                    )
                    for _ in range(self.size)
                ],
            )
            for side, faces in self._faces.items()
        ]

    def validation(self, count: int) -> list[Batch]:
        """Unchanged held-out faces, the same every time."""
        batches = []
        for side, faces in self._held_out.items():
            chosen = spread(faces, max(count // 2, 1))
            still = np.random.default_rng(self.seed)
            samples = [
                classic_sample(
                    face,
                    still,
                    input_size=self.plan.input_size,
                    output_size=self.plan.output_size,
                    still=True,
                )
                for face in chosen
            ]
            batches.append(stack(side, samples))
        return batches


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
