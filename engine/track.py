"""Following faces from frame to frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from engine.cuts import CutDetector
from engine.errors import EngineError
from engine.face import Face, Image, Landmarks
from engine.landmarks import Landmarker
from engine.one_euro import OneEuro, SmoothingSettings
from engine.roi import (
    deviation,
    distance,
    face_size,
    same_place,
    to_frame,
    upright_crop,
    yaw_deg,
)
from engine.search import Detector, Search

_NARROW, _WIDE = 2.0, 3.2
"""A face is looked for in a square of so many face sizes, then in a wider one."""

MOST_FACES = 16
"""Each costs a detector call a frame and memory for its crops."""

_MIN_SIDE_PX = 16


@dataclass(frozen=True)
class TrackSettings:
    """How faces are found and followed.

    A tracked face costs one detector call a frame (about 10 ms), a searched region without
    a face about 3 ms.

    Attributes:
        max_faces: follow no more than this, `MOST_FACES` at most; with more in view, the larger
            ones are taken.
        min_confidence: 0 to 1, of the detector.
        search_calls: regions searched in a frame while no face is seen.
        first_search_calls: the same for the first frame and after a cut. The default finds
            even a small face in its first frame; live, 4 keeps the delay short.
        search_interval_s: pause between searches while some faces are seen, but fewer than
            `max_faces`.
        hold_s: a face that is not found for so long still counts, where it was last.
        keep_s: a face that comes back within this time is still the same track.
        smoothing: of the landmarks in time, None for none.
    """

    max_faces: int = 1
    min_confidence: float = 0.5
    search_calls: int = 3
    first_search_calls: int = 20
    search_interval_s: float = 0.4
    hold_s: float = 0.1
    keep_s: float = 1.0
    smoothing: SmoothingSettings | None = field(default_factory=SmoothingSettings)

    def __post_init__(self) -> None:
        for name in ("max_faces", "search_calls", "first_search_calls"):
            if getattr(self, name) < 1:
                raise EngineError(f"{name} is {getattr(self, name)!r}, expected 1 or more")
        if self.max_faces > MOST_FACES:
            raise EngineError(f"max_faces is {self.max_faces}, expected 1 to {MOST_FACES}")
        for name in ("search_interval_s", "hold_s", "keep_s"):
            if not getattr(self, name) >= 0:
                raise EngineError(f"{name} is {getattr(self, name)!r}, expected 0 or more")
        if not 0 < self.min_confidence < 1:
            raise EngineError(f"min_confidence is {self.min_confidence!r}, expected 0 to 1")


class _Track:
    """One face while it is followed."""

    def __init__(
        self, number: int, landmarks: Landmarks, time_ns: int, smoothing: SmoothingSettings | None
    ) -> None:
        self.number = number
        self.age = 0
        self._filter = OneEuro(smoothing) if smoothing else None
        self.see(landmarks, time_ns)

    def see(self, landmarks: Landmarks, time_ns: int) -> None:
        """Take in a measurement."""
        self.is_seen = True
        self.held = 0
        self.seen_ns = time_ns
        self.landmarks = landmarks
        self._smoothed = landmarks
        if self._filter:
            size = max(face_size(landmarks), 1.0)
            self._smoothed = self._filter(landmarks, size, time_ns).astype(np.float32)

    def face(self) -> Face:
        """What the next stages get to know."""
        return Face(
            landmarks=self._smoothed.copy(),
            track=self.number,
            age=self.age,
            yaw_deg=yaw_deg(self._smoothed),
            held=self.held,
        )


class FaceTracker:
    """Finds the faces of one video, follows them and smooths their landmarks.

    Each face is looked for in an upright crop around its last place, where the detector
    is at its best whatever the face's size and tilt. New faces come from a search of the
    whole frame and of tiles, on a budget of detector calls. At a cut everything begins
    anew.

    Create it in any thread; after that one thread at a time may use it.
    """

    def __init__(
        self,
        model_path: Path,
        settings: TrackSettings | None = None,
        open_detector: Callable[[Path, int, float], Detector] = Landmarker,
    ) -> None:
        """Load the landmark model.

        Args:
            model_path: see `engine.assets.landmark_model`.
            settings: None for the defaults.
            open_detector: called with the path, the number of faces and the confidence.

        Raises:
            ModelError: the model cannot be used.
            EngineError: a system library is missing.
        """
        self._settings = settings or TrackSettings()
        confidence = self._settings.min_confidence
        self._single = open_detector(model_path, 1, confidence)
        try:
            # One more than wanted: a false face must not hide the true one.
            self._several = open_detector(model_path, self._settings.max_faces + 1, confidence)
        except BaseException:
            self._single.close()
            raise
        self._cuts = CutDetector()
        self._search = Search(self._several, self._single)
        self._tracks: list[_Track] = []
        self._next_number = 0
        self._time_ns = 0
        self._searched_ns = 0

    def update(self, image: Image, pts_ns: int) -> tuple[Face, ...]:
        """Find the faces in the next frame.

        Args:
            image: (H, W, 3) uint8 BGR, not changed. A change of size counts as a cut.
            pts_ns: presentation time; a step back counts as a cut.

        Returns:
            At most `max_faces` faces, in the order of their tracks' numbers.
        """
        if min(image.shape[:2]) < _MIN_SIDE_PX:
            return ()
        stepped_back = pts_ns < self._time_ns
        self._time_ns = pts_ns
        if self._cuts.update(image) or stepped_back:
            self._tracks.clear()
            self._search.restart()
            self._look_around(image, self._settings.first_search_calls)
        else:
            self._follow(image)
            pause_ns = self._settings.search_interval_s * 1e9 if self._seen() else 0
            if pts_ns - self._searched_ns >= pause_ns:
                self._look_around(image, self._settings.search_calls)
        return tuple(track.face() for track in self._visible())

    def close(self) -> None:
        """Free the model; has to happen before the interpreter ends."""
        self._single.close()
        self._several.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seen(self) -> list[_Track]:
        return [track for track in self._tracks if track.is_seen]

    def _visible(self) -> list[_Track]:
        hold_ns = self._settings.hold_s * 1e9
        seen = self._seen()
        held = [
            track
            for track in self._tracks
            if not track.is_seen and self._time_ns - track.seen_ns <= hold_ns
        ]
        room = self._settings.max_faces - len(seen)
        return sorted(seen + held[:room], key=lambda track: track.number)

    def _follow(self, image: Image) -> None:
        """Measure all tracks anew and end those that are lost."""
        # Missing faces come last: they may come back only if there is room.
        for track in sorted(self._tracks, key=lambda track: not track.is_seen):
            track.age += 1
            track.held += 1
            landmarks = self._look_again(image, track)
            track.is_seen = False
            if landmarks is not None and len(self._seen()) < self._settings.max_faces:
                track.see(landmarks, self._time_ns)
        kept: list[_Track] = []
        keep_ns = self._settings.keep_s * 1e9
        # Where two became one the older stays, but none that is lost in place of a seen one.
        for track in sorted(self._tracks, key=lambda track: not track.is_seen):
            twin = any(same_place(track.landmarks, other.landmarks, 0.3) for other in kept)
            if not twin and self._time_ns - track.seen_ns <= keep_ns:
                kept.append(track)
        self._tracks = sorted(kept, key=lambda track: track.number)

    def _look_again(self, image: Image, track: _Track) -> Landmarks | None:
        """Find a face near its last place."""
        near = self._nearest(image, track, _NARROW) if track.is_seen else None
        if near is not None:
            return near
        # It moved far, is covered or has gone: what is found now may be something else.
        far = self._nearest(image, track, _WIDE)
        return None if far is None else self._search.verify(image, far)

    def _nearest(self, image: Image, track: _Track, margin: float) -> Landmarks | None:
        last = track.landmarks
        others = [other for other in self._tracks if other is not track]
        reach = margin * face_size(last)
        crowded = any(distance(other.landmarks, last) < reach for other in others)
        crop, frame_to_crop = upright_crop(image, last, margin)
        found = (self._several if crowded else self._single).detect(crop)
        faces = (to_frame(landmarks, frame_to_crop) for landmarks in found)
        neighbors = [other.landmarks for other in others if other.is_seen]
        near = [
            face
            for face in faces
            if same_place(face, last, margin / 2)
            # Else, when this one goes, its track would take the neighbor's face.
            and all(distance(face, last) <= distance(face, other) for other in neighbors)
        ]
        return min(near, key=lambda face: deviation(face, last), default=None)

    def _look_around(self, image: Image, calls: int) -> None:
        """Search for faces that no track has in this frame."""
        seen = self._seen()
        wanted = self._settings.max_faces - len(seen)
        if wanted <= 0:
            return
        self._searched_ns = self._time_ns
        known = [track.landmarks for track in seen]
        for landmarks in self._search.find(image, known, wanted, calls, self._time_ns):
            self._take_in(landmarks)

    def _take_in(self, landmarks: Landmarks) -> None:
        """Give a face that was found to the track it belongs to, or to a new one."""
        for track in self._tracks:
            if not track.is_seen and same_place(landmarks, track.landmarks, 1.0):
                track.see(landmarks, self._time_ns)
                return
        if len(self._visible()) < self._settings.max_faces:
            smoothing = self._settings.smoothing
            self._tracks.append(_Track(self._next_number, landmarks, self._time_ns, smoothing))
            self._next_number += 1
