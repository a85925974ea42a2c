"""First pass: find all faces of all sources and note them in the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from engine.face import Image
from export.extraction.choose import appearance
from export.extraction.crops import cut, fit, write_picture
from export.extraction.detect import Finder, Look
from export.extraction.found import Found
from export.extraction.inputs import Input
from export.extraction.log import DetectionLog, Entry
from export.extraction.monitor import Monitor
from export.extraction.settings import Settings
from stream.sources import Source, SourceError, SourceSettings, open_source

_NOTED_FRAMES: Final = 50
"""An interruption costs no more than so many frames."""


@dataclass(slots=True, eq=False)
class Scanned:
    """The faces of one source.

    Attributes:
        source: where they come from.
        label: crops are named by it.
        faces: all of them.
        complete: every frame was looked at.
    """

    source: Input
    label: str
    faces: list[Found]
    complete: bool

    @property
    def name(self) -> str:
        """Of the source, in the alignments file; each recording of a camera has its own."""
        return self.label if self.source.live else self.source.name


def crop_name(label: str, face: Found, *, still: bool) -> str:
    """Name of the picture of a crop."""
    return f"{label}-{face.track}.png" if still else f"{label}-{face.seq:06}-{face.track}.png"


@dataclass(slots=True, eq=False)
class Scan:
    """Looks through sources, and tells what went wrong with which.

    Attributes:
        finder: finds the faces.
        log: knows and keeps them.
        settings: of the extraction.
        monitor: is told about it.
        live_folder: for crops of sources that cannot be read again.
        failed: sources that could not be opened, and why.
        found: faces found in them.
        seconds: that this took.
    """

    finder: Finder
    log: DetectionLog
    settings: Settings
    monitor: Monitor
    live_folder: Path
    failed: dict[str, str] = field(default_factory=dict)
    found: int = 0
    seconds: float = 0.0

    def run(self, inputs: list[Input]) -> list[Scanned]:
        """Find the faces of all sources; those in the log are not looked for again.

        Raises:
            ExtractionError: the log or a crop cannot be written.
        """
        scanned = []
        began_s = time.monotonic()
        for place, source in enumerate(inputs):
            if self.monitor.stopped:
                break
            if source.live:
                scanned.append(self._watch(source))
                continue
            entry = self.log.entry(source.url, source.stem, source.stamp, self.settings.every)
            if not entry.done and source.still:
                self.monitor.show("finding faces: pictures", place, len(inputs))
                self._picture(source, entry)
            elif not entry.done:
                self._clip(source, entry)
            if entry.damage and not source.still:
                self.monitor.say(f"note: {entry.damage}")
            # What cannot be read is no reason to run again.
            complete = entry.done or source.url in self.failed or not self.monitor.stopped
            faces = [face for face in entry.faces if self._is_wanted(face)]
            scanned.append(Scanned(source, entry.label, faces, complete))
        self.seconds = time.monotonic() - began_s
        return scanned

    def _is_wanted(self, face: Found) -> bool:
        """Whether this run, and not only an earlier one, asks for the face's frame."""
        limit_s = self.settings.duration_s
        return face.seq % self.settings.every == 0 and (
            limit_s is None or face.pts_ns < limit_s * 1e9
        )

    def _picture(self, source: Input, entry: Entry) -> None:
        image = read_still(source)
        if isinstance(image, str):
            self.failed[source.url] = image
            return
        faces = self.finder.in_picture(image)
        self.found += len(faces)
        self.log.add(entry, faces, 0)
        self.log.finish(entry, None)

    def _clip(self, source: Input, entry: Entry) -> None:
        waiting: list[Found] = []
        damage, through = None, entry.through
        try:
            for look in self._looks(source, entry.every, entry):
                waiting += look.faces
                through = look.seq
                if through - entry.through >= _NOTED_FRAMES * entry.every:
                    self.log.add(entry, waiting, through)
                    waiting = []
                if self.monitor.stopped:
                    break
        except SourceError as error:
            if through < 0:
                self.failed[source.url] = str(error)
                return
            damage = str(error)
        if through > entry.through:
            self.log.add(entry, waiting, through)
        # Beyond the limit there may be more, for another run.
        if damage or not (self.monitor.stopped or self.settings.duration_s):
            self.log.finish(entry, damage)

    def _watch(self, source: Input) -> Scanned:
        """Look through what cannot be read again, and keep the crops of good faces."""
        began = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        scanned = Scanned(source, f"{source.stem}-{began}", [], complete=True)
        last: dict[int, Found] = {}
        try:
            for look in self._looks(source, self.settings.every):
                for face in look.faces:
                    if self._is_worth_keeping(face, last.get(face.track)):
                        name = crop_name(scanned.label, face, still=False)
                        crop = cut(look.image, face.landmarks, self.settings.size)
                        write_picture(self.live_folder / name, crop)
                        scanned.faces.append(face)
                        last[face.track] = face
                if self.monitor.stopped:
                    break
        except SourceError as error:
            if not scanned.faces:
                self.failed[source.url] = str(error)
            else:
                self.monitor.say(f"note: {error}")
        return scanned

    def _is_worth_keeping(self, face: Found, last: Found | None) -> bool:
        if self.settings.limits.problem(face.scores):
            return False
        if last is None:
            return True
        first, second = appearance([last, face])
        return float(np.linalg.norm(first - second)) >= self.settings.distance

    def _looks(self, source: Input, every: int, known: Entry | None = None) -> Iterator[Look]:
        """Look at the frames of a clip or camera that come after those that are known."""
        doing = f"finding faces: {source.stem}"
        settings = SourceSettings(audio=False, duration_s=self.settings.duration_s)
        with open_source(source.url, settings) as opened:
            frames = _after(opened, known.through if known else -1)
            before = known.faces if known else ()
            with closing(self.finder.in_clip(frames, every, before)) as looks:
                for look in looks:
                    self.found += len(look.faces)
                    self.monitor.show(doing, look.seq + 1, opened.info.frames)
                    yield look


def _after(source: Source, through: int) -> Iterator[tuple[int, int, Image]]:
    for frame in source:
        if frame.seq > through:
            yield frame.seq, frame.pts_ns, frame.image


def read_still(source: Input) -> Image | str:
    """Read a picture; returns what is wrong if it cannot be read."""
    try:
        with open_source(source.url, SourceSettings(audio=False)) as opened:
            return next(fit(frame.image) for frame in opened)
    except SourceError as error:
        return str(error)
