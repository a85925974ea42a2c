"""The numbers of a clip, what they should be, and a table of both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.quality.clip import ClipRun
from benchmarks.quality.trials import IDENTITY_PX, Flicker, HairCrossing, Identity

Verdict = Literal["pass", "natural", "FAIL", "no target", "not measured"]
"""`natural`: the target is missed, but the original frame misses it at the same place too, and
is no more than a tenth better."""

_SLACK = 1.1

UNFILTERED = "behind the filter"
"""Landmark noise that the tracker cannot smooth away: harder than any detector's, so without a
target."""


@dataclass(frozen=True, slots=True)
class Number:
    """One measured number.

    Attributes:
        name: with its unit.
        value: NaN where there was nothing to measure.
        limit: what it may be; None if nothing is asked of it.
        original: of the original frame at the same place, None where that has no meaning.
        at_least: whether `limit` is the least instead of the most.
    """

    name: str
    value: float
    limit: float | None = None
    original: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met, in a word."""
        if math.isnan(self.value):
            return "not measured"
        if self.limit is None:
            return "no target"
        if self._within(self.limit):
            return "pass"
        natural = self.original is not None and self._within(self.original * _SLACK)
        return "natural" if natural else "FAIL"

    def _within(self, limit: float) -> bool:
        return self.value >= limit if self.at_least else self.value <= limit

    def to_json(self) -> dict[str, Any]:
        """As plain values; infinite and missing ones are None."""
        said = {
            name: _plain(value)
            for name, value in asdict(self).items()
            if name not in {"name", "at_least"} and value is not None
        }
        return said | {"verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Trials:
    """What the trials on standing pictures gave.

    Attributes:
        still: None without a face.
        shaken: by the kind of landmark noise; empty without a face.
        identity: by the side of the face's crop in frame pixels.
        hair: None if it was not tried.
    """

    still: Flicker | None
    shaken: Mapping[str, Flicker]
    identity: Mapping[int, Identity]
    hair: HairCrossing | None


def numbers(run: ClipRun, trials: Trials) -> Iterator[Number]:
    """What is asked of blending, and what this clip gave."""
    after, before, added = (_pooled(run, name) for name in ("steps", "steps_before", "added"))
    yield Number("frames with a new face, %", _percent(run.swapped_frames, run.frames))
    yield Number("face size, px", _median([view.size_px for view in run.views]))
    yield _pair("seam steepness, x rings", [view.steepness for view in run.views], 1.2)
    yield Number("seam dE00 median", _quantile(after, 0.5), 2.0, _quantile(before, 0.5))
    yield Number("seam dE00 p95", _quantile(after, 0.95), 4.0, _quantile(before, 0.95))
    yield Number("seam dE00 added p95", _quantile(added, 0.95))
    yield Number("pixels changed outside", float(run.changed_outside), 0.0)
    yield from _flicker(run, trials)
    if trials.hair is not None:
        yield Number("hair crossing, largest jump", trials.hair.ours, 2.0)
    same = trials.identity.get(IDENTITY_PX, Identity(math.nan, math.nan))
    name = f"identity at {IDENTITY_PX} px"
    yield Number(f"{name}, frame, dB", same.frame_db, 50.0, at_least=True)
    yield Number(f"{name}, face, dB", same.face_db)
    yield _pair("sharpness, inside / ring", [view.sharpness for view in run.views])
    yield _pair("grain, inside / ring", [view.noise for view in run.views])
    yield Number("blend stage, ms", 1e3 * _median(run.blend_s))


def _flicker(run: ClipRun, trials: Trials) -> Iterator[Number]:
    if trials.still is not None:
        yield from _judged("still", trials.still)
    for kind, trial in trials.shaken.items():
        yield from _judged(f"still, {kind}", trial)
    jumps = np.abs(np.array(run.offset_jumps).reshape(-1, 3)).max(axis=1, initial=0.0)
    yield Number("moving: p95 change of new - old", _quantile(jumps, 0.95))


def _judged(name: str, trial: Flicker) -> Iterator[Number]:
    limits = (None, None) if UNFILTERED in name else (0.5, 2.0)
    yield Number(f"{name}: sigma", trial.sigma, limits[0])
    yield Number(f"{name}: largest step", trial.largest, limits[1])


def _pair(name: str, pairs: list[tuple[float, float]], limit: float | None = None) -> Number:
    return Number(
        name,
        _median([after for after, _ in pairs]),
        limit,
        _median([before for _, before in pairs]),
    )


def _pooled(run: ClipRun, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.concatenate([np.zeros(0), *(getattr(view, name) for view in run.views)])


def _quantile(values: np.ndarray[Any, np.dtype[np.float64]], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else math.nan


def _median(values: list[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return float(np.median(finite)) if finite else math.nan


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else math.nan


def _plain(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def render(clip: str, found: list[Number]) -> str:
    """A clip's numbers as a table for people."""
    rows = [f"{clip:42}{'value':>9}{'original':>10}{'target':>9}  verdict"]
    for number in found:
        sign = ">=" if number.at_least else "<="
        target = "" if number.limit is None else f"{sign} {number.limit:g}"
        original = "" if number.original is None else f"{number.original:.2f}"
        verdict = "" if number.verdict == "no target" else number.verdict
        rows.append(
            f"  {number.name:40}{number.value:9.2f}{original:>10}{target:>9}  {verdict}".rstrip()
        )
    return "\n".join(rows)
