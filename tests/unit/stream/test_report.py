from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from stream.link import LinkStats
from stream.report import Percentiles, Report, Samples, StageReport, render


def stage(utilization: float) -> StageReport:
    return StageReport(
        frames=100, busy_ms_p50=1, busy_ms_p95=2, utilization=utilization, cpu_ms_mean=1
    )


REPORT = Report(
    frames_in=110,
    frames_out=100,
    dropped=10,
    failed=0,
    held=0,
    withheld=0,
    unproven=0,
    faces_found=95,
    faces_swapped=90,
    frames_without_face=5,
    wall_s=4.0,
    age_ms=Percentiles(10, 20, 30),
    stages={"capture": stage(0.99), "swap": stage(0.95), "out.mp4": stage(0.2)},
    links={"capture -> swap": LinkStats(passed=100, dropped=10, waiting=0, peak=1, capacity=1)},
    source={},
    sinks={},
    live=True,
)


def test_a_live_capture_is_waiting_not_busy() -> None:
    assert REPORT.bottleneck == "swap"
    assert replace(REPORT, live=False).bottleneck == "capture"


def test_a_live_run_with_time_to_spare_is_limited_by_its_source() -> None:
    relaxed = replace(REPORT, stages={"capture": stage(0.99), "swap": stage(0.5)})
    assert relaxed.bottleneck == "source"
    assert replace(REPORT, stages={"capture": stage(0.99)}).bottleneck == "source"


def test_json_carries_the_derived_values() -> None:
    plain = json.loads(json.dumps(REPORT.to_json()))
    assert plain["fps"] == 25
    assert plain["faces_missed"] == 5
    assert plain["bottleneck"] == "swap"
    assert plain["links"]["capture -> swap"]["dropped"] == 10
    assert plain["stages"]["swap"]["utilization"] == 0.95


def test_people_see_the_same_numbers() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(render(REPORT))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for expected in ("100 of 110 frames", "25.0 fps", "10 dropped", "p95 20 ms", "5 missed", "1/1"):
        assert expected in text


def test_samples_keep_the_latest_and_the_total() -> None:
    samples = Samples()
    assert samples.percentiles_ms(50, 99) == (0, 0)
    for _ in range(10_000):
        samples.add(1_000_000)
    for _ in range(9_000):
        samples.add(3_000_000)
    assert samples.percentiles_ms(1, 50) == (3, 3)
    assert samples.count == 19_000
    assert samples.total_ns == pytest.approx(37e9)
