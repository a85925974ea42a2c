"""Finding faces in the frames of a source."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from engine.assets import landmark_model
from engine.face import Face, Image
from engine.roi import face_size, same_place
from engine.track import FaceTracker, TrackSettings
from export.extraction.crops import fit
from export.extraction.found import Found
from export.extraction.quality import measure

MAX_FACES: Final = 4
"""No more faces than this are followed at a time; with more in view, the larger ones."""

# What is not seen in this very frame is no face to learn from.
_CLIP: Final = TrackSettings(max_faces=MAX_FACES, hold_s=0.0)
# A second look goes through the tiles that the first one left out.
_STILL: Final = replace(_CLIP, first_search_calls=4, search_calls=20, smoothing=None)

OpenTracker = Callable[[TrackSettings], FaceTracker]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One frame that was looked at: its number, time, picture and faces."""

    seq: int
    pts_ns: int
    image: Image
    faces: list[Found]


class Finder:
    """Finds faces in clips and in single pictures."""

    def __init__(self, open_tracker: OpenTracker | None = None) -> None:
        """Load nothing yet.

        Args:
            open_tracker: None for the engine's with MediaPipe's model.
        """
        self._open = open_tracker or (lambda settings: FaceTracker(landmark_model(), settings))
        self._opened = ExitStack()
        self._still: FaceTracker | None = None
        self._time_ns = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def in_picture(self, image: Image) -> list[Found]:
        """Find the faces of a picture that has nothing to do with the one before.

        Args:
            image: (H, W, 3) uint8 BGR, not changed.

        Returns:
            Faces, the largest first; its number in this order is its track.
        """
        if self._still is None:
            self._still = self._opened.enter_context(self._open(_STILL))
        self._time_ns -= 1  # a step back in time makes the tracker begin anew
        faces = self._still.update(image, self._time_ns) or self._still.update(image, self._time_ns)
        faces = tuple(sorted(faces, key=lambda face: -face_size(face.landmarks)))
        return [
            found
            for track, face in enumerate(faces)
            if (found := _judge(image, replace(face, track=track), 0, 0)) is not None
        ]

    def in_clip(
        self, frames: Iterable[tuple[int, int, Image]], every: int, before: Sequence[Found] = ()
    ) -> Generator[Look]:
        """Follow the faces of a clip.

        Args:
            frames: number, time in ns and BGR picture of the frames that are still to do.
            every: look at the frames whose number is a multiple of this.
            before: faces of the frames before, if the clip was begun in an earlier run: a
                face that is still where it was last keeps its track.

        Yields:
            Each frame that was looked at.
        """
        numbers = _Numbers(before)
        with self._open(_CLIP) as tracker:
            for seq, pts_ns, picture in frames:
                if seq % every:
                    continue
                image = fit(picture)
                faces = numbers.renumbered(tracker.update(image, pts_ns))
                found = [_judge(image, face, seq, pts_ns) for face in faces]
                yield Look(seq, pts_ns, image, [face for face in found if face is not None])


class _Numbers:
    """Goes on with the track numbers of an earlier run."""

    def __init__(self, before: Sequence[Found]) -> None:
        last = max((face.seq for face in before), default=-1)
        self._last = {face.track: face.landmarks for face in before if face.seq == last}
        self._next = max((face.track for face in before), default=-1) + 1
        self._numbers: dict[int, int] = {}

    def renumbered(self, faces: Iterable[Face]) -> list[Face]:
        """The faces of the next frame, by their numbers in all runs together."""
        renumbered = [replace(face, track=self._number(face)) for face in faces]
        self._last.clear()  # what is new from the second frame on is somebody new
        return renumbered

    def _number(self, face: Face) -> int:
        if face.track not in self._numbers:
            same = [n for n, was in self._last.items() if same_place(face.landmarks, was, 0.3)]
            self._numbers[face.track] = same[0] if same else self._next
            self._last.pop(self._numbers[face.track], None)
            self._next = max(self._next, self._numbers[face.track] + 1)
        return self._numbers[face.track]


def _judge(image: Image, face: Face, seq: int, pts_ns: int) -> Found | None:
    """Score a face; None if its landmarks are none of a face."""
    if not np.isfinite(face.landmarks).all() or face_size(face.landmarks) < 1.0:
        return None
    scores, thumbnail = measure(image, face.landmarks)
    return Found(seq, pts_ns, face.track, face.landmarks, scores, thumbnail)
