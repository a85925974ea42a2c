"""Second pass: cut the chosen faces out and keep the folder's files in agreement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from engine.face import Image
from export.errors import ExtractionError
from export.extraction.alignments import Aligned, read_alignments, write_alignments
from export.extraction.choose import spread
from export.extraction.crops import cut, fit, write_picture
from export.extraction.found import Found
from export.extraction.monitor import Monitor
from export.extraction.scan import Scanned, crop_name, read_still
from export.extraction.sheet import CONTACT_SHEET, SHEET_FACES, arrange, contact_sheet
from stream.sources import SourceError, SourceSettings, open_source

LIVE_FOLDER: Final = ".live"
"""Where crops of sources that cannot be read again wait until it is known which are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A face that is taken."""

    scanned: Scanned
    face: Found

    @property
    def file(self) -> str:
        """Name of its crop."""
        return crop_name(self.scanned.label, self.face, still=self.scanned.source.still)

    def aligned(self) -> Aligned:
        """Its line in the alignments file."""
        return Aligned.of(self.face, self.file, self.scanned.name)


def store(
    chosen: Sequence[Choice], scanned: Sequence[Scanned], out: Path, size: int, monitor: Monitor
) -> int:
    """Make the folder hold the crops of these faces.

    Crops of other sources stay; those of these sources that are no longer chosen go, once
    all new ones are there.

    Args:
        chosen: faces to cut out.
        scanned: all sources of this run.
        out: the folder.
        size: side of a crop in pixels.
        monitor: asked whether to stop, and told how far it is.

    Returns:
        How many crops were written.

    Raises:
        ExtractionError: something cannot be read again, or not be written; crops that were
            written so far are in the alignments file.
    """
    old = read_alignments(out) or []
    written: dict[str, Aligned] = {}
    try:
        for choice in _cut_out(chosen, out, size, monitor):
            written[choice.file] = choice.aligned()
            monitor.show("cutting out", len(written), len(chosen))
            if monitor.stopped:
                break
    finally:
        done = len(written) == len(chosen)
        replaced = {each.name for each in scanned} if done else set()
        kept = [crop for crop in old if crop.source not in replaced and crop.file not in written]
        crops = sorted([*kept, *written.values()], key=lambda crop: crop.file)
        write_alignments(out, crops)
    for name in {crop.file for crop in old} - {crop.file for crop in crops}:
        with suppress(OSError):
            (out / name).unlink()
    _write_sheet(out, crops)
    return len(written)


def _cut_out(chosen: Sequence[Choice], out: Path, size: int, monitor: Monitor) -> Iterator[Choice]:
    """Write crops; yields each one that is there."""
    by_source: dict[str, list[Choice]] = {}
    for choice in chosen:
        by_source.setdefault(choice.scanned.label, []).append(choice)
    for choices in by_source.values():
        if choices[0].scanned.source.live:
            for choice in choices:
                (out / LIVE_FOLDER / choice.file).replace(out / choice.file)
                yield choice
            continue
        for choice, image in _with_pictures(choices, monitor):
            write_picture(out / choice.file, cut(image, choice.face.landmarks, size))
            yield choice


def _with_pictures(choices: Sequence[Choice], monitor: Monitor) -> Iterator[tuple[Choice, Image]]:
    """Read the frames of one source again."""
    source = choices[0].scanned.source
    if source.still:
        image = read_still(source)
        if isinstance(image, str):
            raise ExtractionError(f"{image}; it could be read before")
        for choice in choices:
            yield choice, image
        return
    wanted: dict[int, list[Choice]] = {}
    for choice in choices:
        wanted.setdefault(choice.face.seq, []).append(choice)
    last = max(wanted)
    try:
        with open_source(source.url, SourceSettings(audio=False)) as frames:
            for frame in frames:
                if frame.seq in wanted:
                    image = fit(frame.image)
                    for choice in wanted[frame.seq]:
                        yield choice, image
                if frame.seq == last or monitor.stopped:
                    return
    except SourceError as error:
        raise ExtractionError(f"{error}; it could be read before") from error


def _write_sheet(out: Path, crops: Sequence[Aligned]) -> None:
    if not crops:
        return
    # Landmarks of aligned faces tell pose and expression.
    looks = np.array([crop.landmarks.ravel() for crop in crops], np.float32)
    frontal = min(range(len(crops)), key=lambda i: abs(crops[i].scores.yaw_deg))
    shown = [crops[index] for index in spread(looks, SHEET_FACES, frontal)]
    order = arrange([(crop.scores.yaw_deg, crop.scores.pitch_deg) for crop in shown])
    pictures = [cv2.imread(str(out / shown[index].file), cv2.IMREAD_COLOR) for index in order]
    readable = [np.asarray(picture, np.uint8) for picture in pictures if picture is not None]
    if readable:
        write_picture(out / CONTACT_SHEET, contact_sheet(readable))
