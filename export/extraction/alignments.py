"""The alignments file: what is known of each crop in a folder of faces."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE
from engine.face import Landmarks
from export.errors import ExtractionError
from export.extraction.crops import SPAN, replace_file, stored_landmarks
from export.extraction.found import Found, landmarks_from_json, scores_to_json
from export.extraction.quality import Scores

FILE_NAME: Final = "alignments.jsonl"
VERSION: Final = 1
_FORMAT = "facestream alignments"


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """One crop.

    Attributes:
        file: name of its picture in the folder.
        source: clip, picture or camera that it comes from.
        seq: number of the frame in the source.
        pts_ns: presentation time since the source's first frame.
        track: same number in the same source, same person.
        box: left, top, right, bottom of the landmarks in pixels of the frame.
        landmarks: (478, 2) float64 in units of the crop's side, 0 and 1 at its edges, so that
            they hold for any size.
        scores: how good it is.
    """

    file: str
    source: str
    seq: int
    pts_ns: int
    track: int
    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float64]
    scores: Scores

    @classmethod
    def of(cls, found: Found, file: str, source: str) -> Aligned:
        """Describe the crop of a face that was found."""
        return cls(
            file,
            source,
            found.seq,
            found.pts_ns,
            found.track,
            found.box,
            stored_landmarks(found.landmarks),
            found.scores,
        )

    def landmarks_px(self, size: int) -> Landmarks:
        """(478, 2) float32 landmarks in pixels of the crop when it has this side."""
        return (self.landmarks * size - 0.5).astype(np.float32)


def write_alignments(folder: Path, crops: Iterable[Aligned]) -> None:
    """Replace the alignments file of a folder.

    Raises:
        ExtractionError: it cannot be written; the old one is kept.
    """
    header = {
        "format": _FORMAT,
        "version": VERSION,
        "alignment": FULL_FACE.name,
        "span": SPAN,
    }
    lines = [header, *map(_to_json, crops)]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    replace_file(folder / FILE_NAME, text.encode())


def read_alignments(folder: Path) -> list[Aligned] | None:
    """Read the alignments file of a folder.

    Crops whose picture somebody has deleted are left out.

    Returns:
        The crops by name, None if the folder has no alignments file.

    Raises:
        ExtractionError: it cannot be read, or is of another version or alignment.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    number = 1
    crops = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        _check_header(json.loads(lines[0]))
        for number, line in enumerate(lines[1:], 2):  # noqa: B007  # for the message
            crops.append(_from_json(json.loads(line)))
    except OSError as error:
        raise ExtractionError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ExtractionError(
            f"{path}: line {number} is no alignment of version {VERSION} ({error}); run the "
            "extraction again to make the file anew"
        ) from error
    return sorted((crop for crop in crops if (folder / crop.file).exists()), key=lambda c: c.file)


def _to_json(crop: Aligned) -> dict[str, Any]:
    return {
        "file": crop.file,
        "source": crop.source,
        "seq": crop.seq,
        "pts_ns": crop.pts_ns,
        "track": crop.track,
        "box": [round(value, 2) for value in crop.box],
        "scores": scores_to_json(crop.scores),
        "landmarks": np.round(crop.landmarks, 5).tolist(),
    }


def _from_json(values: dict[str, Any]) -> Aligned:
    left, top, right, bottom = values["box"]
    return Aligned(
        file=str(values["file"]),
        source=str(values["source"]),
        seq=int(values["seq"]),
        pts_ns=int(values["pts_ns"]),
        track=int(values["track"]),
        box=(left, top, right, bottom),
        landmarks=landmarks_from_json(values["landmarks"]),
        scores=Scores(**values["scores"]),
    )


def _check_header(header: dict[str, Any]) -> None:
    expected = {"format": _FORMAT, "version": VERSION, "alignment": FULL_FACE.name}
    got = {key: header.get(key) for key in expected}
    if got != expected:
        raise ValueError(f"got {got}, expected {expected}")
