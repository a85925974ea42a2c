"""One face that was found in one frame, and how it is written down."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.face import Landmarks
from export.extraction.quality import THUMBNAIL, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A face in a frame of some source.

    Attributes:
        seq: number of the frame in its source, from 0.
        pts_ns: presentation time since the source's first frame.
        track: the same number is the same face, frame after frame; in a picture, 0 is the
            largest face.
        landmarks: (478, 2) float32 in pixels of the frame.
        scores: how good it is.
        thumbnail: (16, 16) uint8 gray, the aligned face.
    """

    seq: int
    pts_ns: int
    track: int
    landmarks: Landmarks
    scores: Scores
    thumbnail: NDArray[np.uint8]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the landmarks in pixels of the frame."""
        left, top = self.landmarks.min(axis=0).tolist()
        right, bottom = self.landmarks.max(axis=0).tolist()
        return left, top, right, bottom

    def to_json(self) -> dict[str, Any]:
        """As plain values; landmarks to a hundredth of a pixel."""
        return {
            "seq": self.seq,
            "pts_ns": self.pts_ns,
            "track": self.track,
            "scores": scores_to_json(self.scores),
            "thumbnail": base64.b64encode(self.thumbnail.tobytes()).decode(),
            "landmarks": np.round(self.landmarks.astype(np.float64), 2).tolist(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Found:
        """Read what `to_json` made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        pixels = np.frombuffer(base64.b64decode(values["thumbnail"]), np.uint8)
        landmarks = landmarks_from_json(values["landmarks"])
        return cls(
            seq=int(values["seq"]),
            pts_ns=int(values["pts_ns"]),
            track=int(values["track"]),
            landmarks=landmarks.astype(np.float32),
            scores=Scores(**values["scores"]),
            thumbnail=pixels.reshape(THUMBNAIL, THUMBNAIL),
        )


def landmarks_from_json(values: Any) -> NDArray[np.float64]:
    """(478, 2) landmarks of a line of JSON; raises ValueError if they are something else."""
    landmarks = np.array(values, np.float64)
    if landmarks.shape != (478, 2):
        raise ValueError(f"landmarks of shape {landmarks.shape}, expected (478, 2)")
    return landmarks


def scores_to_json(scores: Scores) -> dict[str, float]:
    """The scores by name, to four decimals."""
    return {name: round(value, 4) for name, value in asdict(scores).items()}
