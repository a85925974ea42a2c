"""An extraction from end to end: find all faces, choose, cut out, describe."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from export.errors import ExtractionError, InputError
from export.extraction import choose
from export.extraction.detect import Finder
from export.extraction.found import Found
from export.extraction.inputs import list_inputs
from export.extraction.log import DetectionLog
from export.extraction.monitor import Monitor
from export.extraction.scan import Scan, Scanned
from export.extraction.settings import Settings
from export.extraction.store import LIVE_FOLDER, Choice, store

LOG_NAME: Final = "detections.jsonl"


@dataclass(slots=True)
class Summary:
    """What came out.

    Attributes:
        crops: pictures written.
        found: faces known, in all sources together.
        left_out: why others were left out, and how many.
        new_faces: found in this run, others were known from before.
        seconds: that finding those took.
        complete: nothing was left undone by an interruption.
    """

    crops: int = 0
    found: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    new_faces: int = 0
    seconds: float = 0.0
    complete: bool = True

    def describe(self, size: int, out: Path) -> str:
        """Lines for people."""
        lines = [f"{out}: {self.crops} crops of {size} px, of {self.found} faces"]
        lines += [f"  left out: {self.reasons()}"] if self.reasons() else []
        if self.new_faces:
            speed = self.new_faces / max(self.seconds, 1e-9)
            lines.append(f"  found {self.new_faces} faces, {speed:.0f} faces/s")
        else:
            lines.append("  all faces were known from before")
        return "\n".join(lines)

    def reasons(self) -> str:
        """Why faces were left out, the most frequent reason first."""
        return ", ".join(f"{count} {why}" for why, count in self.left_out.most_common() if count)


def extract(
    sources: Sequence[str],
    out: Path,
    settings: Settings,
    monitor: Monitor,
    finder: Finder | None = None,
) -> Summary:
    """Extract faces into a folder; crops there that come from other sources stay.

    Args:
        sources: see `inputs.list_inputs`.
        out: folder for crops, alignments, log and contact sheet; made if it is missing.
        settings: what to look for and what to take.
        monitor: is told how it goes on.
        finder: closed at the end; None for one with the engine's tracker.

    Raises:
        InputError: a source that cannot be used at all, or options that do not fit it.
        ExtractionError: no face is left, or something cannot be written.
    """
    inputs = list_inputs(sources, out)
    clips = [source for source in inputs if not source.still]
    if isinstance(settings.person, int) and len(clips) > 1:
        raise InputError(
            f"--person {settings.person} with {len(clips)} clips: a track's number belongs to "
            "one clip; extract them one by one, into the same folder if you like"
        )
    live_folder = out / LIVE_FOLDER
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(source.live for source in inputs):
            live_folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ExtractionError(f"{out}: cannot be made: {error.strerror}") from error
    with ExitStack() as opened:
        opened.callback(shutil.rmtree, live_folder, ignore_errors=True)
        scan = Scan(
            finder=opened.enter_context(finder or Finder()),
            log=DetectionLog(out / LOG_NAME),
            settings=settings,
            monitor=monitor,
            live_folder=live_folder,
        )
        scanned = scan.run(inputs)
        interrupted = any(not each.complete for each in scanned) or len(scanned) < len(inputs)
        monitor.stopped = False  # each Ctrl-C ends one pass
        _tell_failures(scan.failed, len(inputs), monitor)
        summary = Summary(new_faces=scan.found, seconds=scan.seconds)
        chosen = _choose(scanned, settings, monitor, summary)
        if not chosen:
            raise ExtractionError(_nothing_left(summary, out))
        summary.crops = store(chosen, scanned, out, settings.size, monitor)
        summary.complete = not interrupted and summary.crops == len(chosen)
    return summary


def _tell_failures(failed: dict[str, str], count: int, monitor: Monitor) -> None:
    if not failed:
        return
    first = next(iter(failed.values()))
    if len(failed) == count:
        raise InputError(first if count == 1 else f"none of {count} sources can be read: {first}")
    more = f", and {len(failed) - 1} more that cannot be read" if len(failed) > 1 else ""
    monitor.say(f"left out: {first}{more}")


def _choose(
    scanned: Sequence[Scanned], settings: Settings, monitor: Monitor, summary: Summary
) -> list[Choice]:
    choices: list[Choice] = []
    for each in scanned:
        faces = _of_person(each, settings, monitor)
        good, problems = choose.good_ones(faces, settings.limits)
        summary.found += len(each.faces)
        summary.left_out["of other tracks"] += len(each.faces) - len(faces)
        summary.left_out += problems
        choices += [Choice(each, face) for face in good]
    looks = choose.appearance([choice.face for choice in choices])
    kept = choose.distinct([choice.face for choice in choices], looks, settings.distance)
    summary.left_out["near-duplicates"] += len(choices) - len(kept)
    if settings.count is not None and len(kept) > settings.count:
        summary.left_out["beyond --max"] += len(kept) - settings.count
        kept = sorted(kept[i] for i in choose.spread(looks[kept], settings.count))
    return [choices[index] for index in kept]


def _of_person(each: Scanned, settings: Settings, monitor: Monitor) -> list[Found]:
    if settings.person == "all":
        return each.faces
    tracks = sorted({face.track for face in each.faces})
    if settings.person != "auto":
        wanted = [settings.person]
        if each.faces and settings.person not in tracks and not each.source.still:
            raise InputError(
                f"{each.source.name}: has no track {settings.person}, expected one of "
                f"{', '.join(map(str, tracks))}"
            )
    elif each.source.still:
        wanted = [0]
    else:
        wanted = choose.main_person(each.faces)
        if len(tracks) > 1:
            spans = "; ".join(_span(each.faces, track) for track in tracks)
            monitor.say(
                f"{each.source.stem}: tracks {spans}. Taking {', '.join(map(str, wanted))} for "
                "one person; --person N takes a single one, --person all takes everybody"
            )
    return [face for face in each.faces if face.track in wanted]


def _span(faces: Sequence[Found], track: int) -> str:
    times = [face.pts_ns / 1e9 for face in faces if face.track == track]
    return f"{track} ({len(times)} faces, {times[0]:.1f} to {times[-1]:.1f} s)"


def _nothing_left(summary: Summary, out: Path) -> str:
    if not summary.found:
        return f"{out}: no face was found in any source; nothing was changed there"
    return (
        f"{out}: none of {summary.found} faces is good enough ({summary.reasons()}); nothing was "
        "changed there, loosen the limits"
    )
