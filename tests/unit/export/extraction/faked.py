"""Clips that exist in memory only, and what extracts faces from them without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import numpy as np

from engine.face import Image
from engine.track import FaceTracker
from export.extraction.detect import Finder
from export.extraction.found import Found
from export.extraction.quality import Scores
from stream.frame import Frame
from stream.sources import SourceError, SourceSettings
from stream.sources import open_source as really_open
from tests.marked_faces import Detectors, mark, scene
from tests.painted_face import landmarks

GOOD = Scores(200.0, 0.2, 0.0, 0.0, 0.0, 0.5, 0.0, 1.0)

Person = tuple[int, tuple[float, float], float]
"""Number of a marked face, its center and its size."""


def shot(*people: Person, count: int = 6, seed: int | None = None) -> list[Image]:
    """Frames in which everybody moves a little to the right."""
    frames = []
    for step in range(count):
        image = scene(180, 320, seed)
        for who, (x, y), size in people:
            mark(image, who, (x + 2.0 * step, y), size)
        frames.append(image)
    return frames


def found(seq: int = 0, track: int = 0, *, shift: float = 0.0, scores: Scores = GOOD) -> Found:
    """A face whose mouth and eyes are `shift` of its size away from where they usually are."""
    points = landmarks((160.0, 90.0), 200.0)
    points[33] += shift * 200.0
    thumbnail = np.random.default_rng(track).integers(0, 255, (16, 16), np.uint8)
    return Found(seq, seq * 40_000_000, track, points, scores, thumbnail)


@dataclass
class FakeMonitor:
    """Hears everything; stops after so many steps."""

    stop_after: int | None = None
    stopped: bool = False
    lines: list[str] = field(default_factory=list)
    steps: int = 0

    def say(self, text: str) -> None:
        self.lines.append(text)

    def show(self, doing: str, done: int, total: int | None) -> None:
        self.steps += 1
        if self.steps == self.stop_after:
            self.stopped = True


class Clips:
    """Stands in for `open_source`: clips by name from memory, everything else for real."""

    def __init__(self) -> None:
        self.frames: dict[str, list[Image]] = {}
        self.damage: dict[str, str] = {}

    def open(self, url: str, settings: SourceSettings) -> object:
        name = Path(url).name
        if name in self.frames:
            return _Clip(self.frames[name], self.damage.get(name), settings.duration_s)
        return really_open(url, settings)


class _Clip:
    def __init__(self, frames: list[Image], damage: str | None, duration_s: float | None) -> None:
        self.info = SimpleNamespace(frames=len(frames))
        self._frames, self._damage, self._duration_s = frames, damage, duration_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        for seq, image in enumerate(self._frames):
            if self._duration_s is not None and seq * 0.04 >= self._duration_s:
                return
            yield Frame(image.copy(), seq * 40_000_000, seq, 0)
        if self._damage:
            raise SourceError(self._damage)


@dataclass
class Searcher:
    """Makes finders that see marked faces, and counts the frames that they looked at."""

    looked_at: int = 0

    def finder(self) -> Finder:
        def open_tracker(settings: object) -> FaceTracker:
            tracker = FaceTracker(Path("none"), settings, Detectors())  # type: ignore[arg-type]
            update = tracker.update

            def counted(image: Image, pts_ns: int) -> object:
                self.looked_at += 1
                return update(image, pts_ns)

            tracker.update = counted  # type: ignore[assignment,method-assign]
            return tracker

        return Finder(open_tracker)
