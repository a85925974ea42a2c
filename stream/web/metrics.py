"""The report for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.health import Health
from stream.report import Percentiles, Report
from stream.web.panel import Panel

MEDIA_TYPE = CONTENT_TYPE_PLAIN_1_0_0


def exposition(panel: Panel) -> bytes:
    """Everything countable, in Prometheus' text format; blocks as long as the report takes."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(panel))
    return generate_latest(registry)


class _Snapshot(Collector):
    """The values of one moment."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def collect(self) -> Iterator[Metric]:
        panel = self._panel
        yield _gauge("web_viewers", "Browsers that watch", panel.broadcast.viewers)
        yield _counter("web_pictures_sent", "Pictures sent to browsers", panel.broadcast.sent)
        if panel.latency is not None:
            measured = Percentiles(panel.latency.p50, panel.latency.p95, panel.latency.p99)
            yield from _quantiles(
                "web_latency_seconds", "Capture to display, seen by a browser", {"": measured}
            )
        report = panel.control.report() if panel.control is not None else None
        if report is not None:
            yield from _of_report(report)


def _of_report(report: Report) -> Iterator[Metric]:
    for name, text, value in (
        ("frames_in", "Frames captured", report.frames_in),
        ("frames_out", "Frames written by the first sink", report.frames_out),
        ("frames_dropped", "Frames left out before the first sink", report.dropped),
        ("frames_failed", "Frames lost because a stage raised or hung", report.failed),
        ("frames_held", "Frames repeated because none came", report.held),
        ("frames_withheld", "Frames covered or replaced by another picture", report.withheld),
        ("frames_unproven", "Frames with a face not proven to be replaced", report.unproven),
        ("faces_found", "Faces found", report.faces_found),
        ("faces_swapped", "Faces swapped", report.faces_swapped),
        ("frames_without_face", "Frames in which no face was found", report.frames_without_face),
    ):
        yield _counter(name, text, value)
    yield _gauge("frames_per_second", "Frames written per second of the run", report.fps)
    yield from _quantiles(
        "frame_age_seconds", "Capture until written by the first sink", {"": report.age_ms}
    )
    yield from _stages(report)
    yield from _links(report)
    yield from _connections(report)
    if report.stamps:
        ages = {name: stamps.age_ms for name, stamps in report.stamps.items()}
        yield from _quantiles("stamp_age_seconds", "Age by the stamp in the picture", ages, "sink")


def _stages(report: Report) -> Iterator[Metric]:
    stages = report.stages.items()
    labels = ("stage",)
    yield _counters("stage_frames", "Frames a stage worked on", labels, {
        (name,): stage.frames for name, stage in stages
    })  # fmt: skip
    yield _gauges("stage_utilization", "Busy share of the time", labels, {
        (name,): stage.utilization for name, stage in stages
    })  # fmt: skip
    yield from _quantiles(
        "stage_busy_seconds",
        "Time a stage spends on a frame",
        {name: Percentiles(stage.busy_ms_p50, stage.busy_ms_p95, 0) for name, stage in stages},
        "stage",
        which=("0.5", "0.95"),
    )


def _links(report: Report) -> Iterator[Metric]:
    links = report.links.items()
    labels = ("link",)
    yield _counters("link_passed", "Frames that went over a link", labels, {
        (name,): link.passed for name, link in links
    })  # fmt: skip
    yield _counters("link_dropped", "Frames a link left out", labels, {
        (name,): link.dropped for name, link in links
    })  # fmt: skip
    yield _gauges("link_waiting", "Frames that wait on a link", labels, {
        (name,): link.waiting for name, link in links
    })  # fmt: skip


def _connections(report: Report) -> Iterator[Metric]:
    healths: dict[tuple[str, str], Health] = {
        (role, name): health
        for role, group in (("source", report.source), ("sink", report.sinks))
        for name, health in group.items()
    }
    labels = ("role", "name")
    yield _gauges("connection_up", "1 while a source or receiver runs", labels, {
        key: float(health.state == "running") for key, health in healths.items()
    })  # fmt: skip
    yield _counters("connection_losses", "Connections lost", labels, {
        key: health.losses for key, health in healths.items()
    })  # fmt: skip
    yield _counters("connection_sent", "Frames or packets that got through", labels, {
        key: health.sent for key, health in healths.items()
    })  # fmt: skip
    yield _counters("connection_dropped", "Frames or packets left out", labels, {
        key: health.dropped for key, health in healths.items()
    })  # fmt: skip


def _counter(name: str, text: str, value: float) -> Metric:
    return _counters(name, text, (), {(): value})


def _gauge(name: str, text: str, value: float) -> Metric:
    return _gauges(name, text, (), {(): value})


def _family(
    kind: type[CounterMetricFamily | GaugeMetricFamily],
    name: str,
    text: str,
    labels: Sequence[str],
    values: Mapping[tuple[str, ...], float],
) -> Metric:
    family = kind(f"facestream_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


_counters = partial(_family, CounterMetricFamily)
_gauges = partial(_family, GaugeMetricFamily)


def _quantiles(
    name: str,
    text: str,
    values_ms: Mapping[str, Percentiles],
    label: str = "",
    which: tuple[str, ...] = ("0.5", "0.95", "0.99"),
) -> Iterator[Metric]:
    labels = (label, "quantile") if label else ("quantile",)
    values: dict[tuple[str, ...], float] = {}
    for key, percentiles in values_ms.items():
        numbers = (percentiles.p50, percentiles.p95, percentiles.p99)
        for quantile, value_ms in zip(which, numbers, strict=False):
            values[(key, quantile) if label else (quantile,)] = value_ms / 1000
    yield _gauges(name, text, labels, values)
