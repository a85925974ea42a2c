"""A folder of aligned faces of one person, as `python -m export extract` leaves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from export.errors import TrainingError
from export.extraction.alignments import read_alignments
from export.extraction.sheet import CONTACT_SHEET

PICTURES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})

_LEAST_SIDE: Final = 32


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
