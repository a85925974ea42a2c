from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families as parsed

from stream.health import Health
from stream.pipeline import Pipeline
from stream.report import Percentiles, Report, StampReport
from stream.sinks.null import NullSink
from stream.web.bodies import Latency
from stream.web.broadcast import Broadcast
from stream.web.metrics import exposition
from stream.web.panel import Panel
from stream.web.rtc import Peers

REPORT = replace(
    Pipeline([], {"swap": lambda frame: frame}, {"web": NullSink()}, live=True).report(),
    frames_in=10,
    frames_out=8,
    wall_s=2.0,
    age_ms=Percentiles(10, 20, 30),
    source={"browser": Health("running", sent=10)},
    sinks={'odd "name"\n': Health("lost", losses=3)},
    stamps={"web": StampReport(5, 0, Percentiles(1, 2, 3))},
)


class Run:
    def report(self) -> Report:
        return REPORT


def values(panel: Panel) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in parsed(exposition(panel).decode())
        for sample in family.samples
    }


def test_the_report_is_readable_for_prometheus() -> None:
    panel = Panel(Broadcast(80, 1), Peers(1), control=Run())  # type: ignore[arg-type]
    panel.latency = Latency(p50=40, p95=50, p99=60, count=9)
    read = values(panel)
    assert read["facestream_frames_in_total",] == 10
    assert read["facestream_frames_per_second",] == 4
    assert read["facestream_frame_age_seconds", "0.95"] == 0.02
    assert read["facestream_connection_up", "browser", "source"] == 1
    assert read["facestream_connection_up", 'odd "name"\n', "sink"] == 0
    assert read["facestream_connection_losses_total", 'odd "name"\n', "sink"] == 3
    assert read["facestream_stage_frames_total", "swap"] == 0
    assert read["facestream_link_dropped_total", "capture -> swap"] == 0
    assert read["facestream_stamp_age_seconds", "0.5", "web"] == 0.001
    assert read["facestream_web_latency_seconds", "0.5"] == 0.04


def test_before_anything_runs() -> None:
    assert values(Panel(Broadcast(80, 1), Peers(1))) == {
        ("facestream_web_viewers",): 0,
        ("facestream_web_pictures_sent_total",): 0,
    }
