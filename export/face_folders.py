"""Training data without pairs: one folder of aligned faces a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from export.classic import STILL, ClassicAugment, StoredFace, classic_samples, store
from export.errors import TrainingError
from export.extraction.alignments import read_alignments
from export.extraction.sheet import CONTACT_SHEET
from export.model import Plan, Side
from export.samples import Batch, spread

PICTURES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})

_LEAST_SIDE: Final = 32
# One face in so many is held out for validation, in at most so many blocks.
_HOLDOUT: Final = 16
_BLOCKS: Final = 4


class Crop(NamedTuple):
    """An aligned face of a folder.

    Attributes:
        picture: (S, S, 3) uint8 BGR.
        landmarks: (478, 2) in units of the picture's side from its corner, or None if the
            folder's alignments file does not know them.
    """

    picture: Image
    landmarks: NDArray[np.float64] | None


@dataclass(frozen=True)
class Crops:
    """What a folder holds.

    Attributes:
        faces: in the order of their names.
        left_out: why pictures are not among them, a line each.
    """

    faces: list[Crop] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


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


def read_crops(folder: Path, size: int) -> Crops:
    """Read the aligned faces of a folder and its alignments file, if it has one.

    Args:
        folder: of square pictures of one person; other files are passed over.
        size: side to bring all pictures to.

    Raises:
        TrainingError: fewer than two pictures are usable.
        ExtractionError: the alignments file is damaged.
    """
    landmarks = {aligned.file: aligned.landmarks for aligned in read_alignments(folder) or ()}
    crops = Crops()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICTURES or path.name == CONTACT_SHEET:
            continue
        image = _read(path)
        if isinstance(image, str):
            crops.left_out.append(f"{path} is left out: {image}")
            continue
        resized = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        crops.faces.append(Crop(np.asarray(resized, np.uint8), landmarks.get(path.name)))
    if len(crops.faces) < 2:
        why = f" ({crops.left_out[0]})" if crops.left_out else ""
        raise TrainingError(
            f"{folder} has {_count(len(crops.faces))}, expected at least 2 (better 300) "
            f"of {', '.join(sorted(PICTURES))}{why}"
        )
    return crops


def _count(usable: int) -> str:
    return f"{usable} usable picture{'' if usable == 1 else 's'}"


def _read(path: Path) -> Image | str:
    """(H, W, 3) uint8 BGR, or why not."""
    try:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV is willing to read
        image = None
    if image is None:
        return "it cannot be read as a picture"
    height, width = image.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        return f"it has {width}x{height} pixels, expected at least {_LEAST_SIDE}x{_LEAST_SIDE}"
    if abs(width - height) > 0.02 * max(width, height):
        return (
            f"it has {width}x{height} pixels, expected a square aligned face; "
            "make one with 'python -m export extract'"
        )
    return np.asarray(image, np.uint8)
