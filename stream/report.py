"""Counters of a run: one JSON object for machines, tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream.health import Health
from stream.link import LinkStats

BUSY_SHARE = 0.9
"""A stage that works less than this share of the time does not hold a live stream back."""

DROPPED_SHARE = 0.05
"""Unless more than this share of the frames is dropped before the first stage."""


class Samples:
    """The latest durations in a ring, and totals of all: constant memory at any length."""

    _KEEP = 8192

    def __init__(self) -> None:
        self._ring = np.zeros(self._KEEP, np.int64)
        self.count = 0
        self.total_ns = 0

    def add(self, ns: int) -> None:
        """Add one duration; one thread writes, any may read."""
        self._ring[self.count % self._KEEP] = ns
        self.total_ns += ns
        self.count += 1

    def percentiles_ms(self, *which: float) -> tuple[float, ...]:
        """Percentiles of the latest durations in milliseconds, zeros when there are none."""
        latest = self._ring[: min(self.count, self._KEEP)]
        if latest.size == 0:
            return (0.0,) * len(which)
        return tuple(float(value) / 1e6 for value in np.percentile(latest, which))


@dataclass(slots=True)
class StageMeter:
    """Time that one stage spends on frames.

    Attributes:
        busy: wall time inside the stage.
        cpu_ns: processor time of the stage's own thread inside the stage.
    """

    busy: Samples = field(default_factory=Samples)
    cpu_ns: int = 0


@dataclass(frozen=True, slots=True)
class StageReport:
    """One line of the stage table; `utilization` is busy time over wall time, 0 to 1."""

    frames: int
    busy_ms_p50: float
    busy_ms_p95: float
    utilization: float
    cpu_ms_mean: float


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class StampReport:
    """What one sink's pictures told of their own age; see `stream.stamp`.

    Attributes:
        read: pictures whose stamp was read.
        unreadable: pictures without a stamp that is beyond doubt.
        age_ms: from the painted time until the sink had written the picture.
    """

    read: int
    unreadable: int
    age_ms: Percentiles


@dataclass(frozen=True, slots=True)
class Report:
    """What happened in a run so far.

    Attributes:
        frames_in: frames captured.
        frames_out: frames written by the first sink.
        dropped: frames left out by links or stages between capture and the first sink.
        failed: frames that were lost because a stage raised or hung.
        held: frames that the gate made because none came.
        withheld: frames that the gate sent covered, or sent another picture for.
        unproven: frames with a face that nothing proves to be replaced.
        faces_found: faces in frames that left the last stage, over all frames.
        faces_swapped: those that carry a swap.
        frames_without_face: frames in which no face was found.
        wall_s: from the start of the capture to the last write.
        age_ms: time from capture until the first sink had written the frame.
        stages: by name, in order: capture, stages, sinks.
        links: by 'from -> to'.
        source, sinks: connections by name, as far as they can tell.
        live: whether late frames were dropped.
        stamps: by sink, when pictures are stamped.
    """

    frames_in: int
    frames_out: int
    dropped: int
    failed: int
    held: int
    withheld: int
    unproven: int
    faces_found: int
    faces_swapped: int
    frames_without_face: int
    wall_s: float
    age_ms: Percentiles
    stages: Mapping[str, StageReport]
    links: Mapping[str, LinkStats]
    source: Mapping[str, Health]
    sinks: Mapping[str, Health]
    live: bool
    stamps: Mapping[str, StampReport] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        """Frames written per second."""
        return self.frames_out / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def frames_processed(self) -> int:
        """Frames of the source among those written; the others are repeats."""
        return max(self.frames_out - self.held, 0)

    @property
    def faces_missed(self) -> int:
        """Faces that were found but not swapped."""
        return self.faces_found - self.faces_swapped

    @property
    def bottleneck(self) -> str:
        """The busiest stage; in a live run 'source' if no stage is short of time.

        A live run that drops frames before its first stage is short of time in one of the stages,
        whatever share of the processor the busiest of them gets.
        """
        busy = {name: stage.utilization for name, stage in self.stages.items()}
        if self.live:
            # Capture of a live source is mostly waiting for the next picture.
            busy.pop("capture", None)
            writers = {link.partition(" -> ")[0] for link in self.links}
            stages = {name: share for name, share in busy.items() if name in writers}
            if stages and self._drops_before_stages:
                # Sinks have links of their own, and hold up no stage.
                return max(stages, key=stages.__getitem__)
            if max(busy.values(), default=0.0) < BUSY_SHARE:
                return "source"
        return max(busy, key=busy.__getitem__, default="source")

    @property
    def _drops_before_stages(self) -> bool:
        first = next(iter(self.links.values()), None)
        return first is not None and first.dropped > DROPPED_SHARE * self.frames_in

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary with the derived values included."""
        fields = asdict(self)
        fields["fps"] = self.fps
        fields["faces_missed"] = self.faces_missed
        fields["bottleneck"] = self.bottleneck
        return fields


def _exceptions(report: Report) -> str:
    counts = {
        "failed in a stage": report.failed,
        "repeated while none came": report.held,
        "withheld by the gate": report.withheld,
        "with a face that is not proven to be swapped": report.unproven,
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"frames {told}\n" if told else ""


def nothing_swapped(report: Report) -> str:
    """What to warn of when no face was swapped in any frame; empty if one was.

    Also empty before a frame has left the last stage.
    """
    if report.faces_swapped:
        return ""
    if report.faces_found:
        found = f"none of the {report.faces_found} faces that were found was swapped"
    elif report.frames_without_face:
        frames = report.frames_without_face
        where = "the picture" if frames == 1 else f"{frames} frames"
        found = f"no face was found in {where}: nothing was swapped"
    else:
        return ""
    if report.withheld:
        return f"{found}, {report.withheld} frames were withheld"
    return f"{found}, the output is the input"


def render(report: Report) -> RenderableType:
    """Tables for the terminal; of one picture, which has no rate, one line."""
    faces = (
        f"faces: {report.faces_found} found, {report.faces_swapped} swapped, "
        f"{report.faces_missed} missed"
    )
    if report.frames_in == report.frames_out == 1:
        return Text(f"1 picture in {report.wall_s:.1f} s; {faces}")
    stages = Table(title="stages", title_justify="left")
    for heading in ("stage", "frames", "busy p50 ms", "p95 ms", "utilization"):
        stages.add_column(heading, justify="left" if heading == "stage" else "right")
    for name, stage in report.stages.items():
        stages.add_row(
            Text(name),
            str(stage.frames),
            f"{stage.busy_ms_p50:.2f}",
            f"{stage.busy_ms_p95:.2f}",
            f"{stage.utilization:.0%}",
            style="bold" if name == report.bottleneck else "",
        )
    links = Table(title="links", title_justify="left")
    for heading in ("link", "passed", "dropped", "peak"):
        links.add_column(heading, justify="left" if heading == "link" else "right")
    for name, link in report.links.items():
        links.add_row(
            Text(name), str(link.passed), str(link.dropped), f"{link.peak}/{link.capacity}"
        )
    age = report.age_ms
    summary = Text(
        f"{report.frames_processed} of {report.frames_in} frames in {report.wall_s:.1f} s, "
        f"{report.dropped} dropped; {report.fps:.1f} fps written\n"
        f"{_exceptions(report)}"
        f"{faces}; {report.frames_without_face} frames without a face\n"
        f"frame age: p50 {age.p50:.0f} ms, p95 {age.p95:.0f} ms, p99 {age.p99:.0f} ms\n"
        f"bottleneck: {report.bottleneck}"
    )
    for name, stamps in report.stamps.items():
        age = stamps.age_ms
        summary.append(
            f"\n{name}: age by stamp p50 {age.p50:.0f} ms, p95 {age.p95:.0f} ms, "
            f"p99 {age.p99:.0f} ms; {stamps.read} read, {stamps.unreadable} not"
        )
    connections = _connections(report)
    return Group(stages, links, *([connections] if connections.row_count else []), summary)


def _connections(report: Report) -> Table:
    """Receivers that share a sink; what else can be told of sinks is in the other tables."""
    table = Table(title="receivers", title_justify="left")
    for heading in ("receiver", "sent", "left out", "losses", "last trouble"):
        is_text = heading in {"receiver", "last trouble"}
        table.add_column(heading, justify="left" if is_text else "right")
    for name, health in report.sinks.items():
        if name not in report.stages:
            counts = (str(health.sent), str(health.dropped), str(health.losses))
            table.add_row(Text(name), *counts, Text(health.detail))
    return table
