from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from stream.link import LinkStats
from stream.report import Percentiles, Report, Samples, StageReport, nothing_swapped, render


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


BUSY = {"capture": 1.0, "detect": 0.4, "swap": 0.7, "out.mp4": 0.8}
FREE = LinkStats(passed=60, dropped=0, waiting=0, peak=1, capacity=1)


def shown(report: Report) -> str:
    text = io.StringIO()
    Console(file=text, width=100).print(render(report))
    return text.getvalue()


def test_a_live_capture_is_waiting_not_busy() -> None:
    assert REPORT.bottleneck == "swap"
    assert replace(REPORT, live=False).bottleneck == "capture"


def test_a_live_run_with_time_to_spare_is_limited_by_its_source() -> None:
    relaxed = replace(REPORT, stages={"capture": stage(0.99), "swap": stage(0.5)})
    assert relaxed.bottleneck == "source"
    assert replace(REPORT, stages={"capture": stage(0.99)}).bottleneck == "source"


def test_a_live_run_that_drops_before_its_stages_is_held_up_by_the_slowest_of_them() -> None:
    # Nobody reaches 90 % where all share a processor that has too much to do.
    stages = {name: stage(share) for name, share in BUSY.items()}
    dropping = LinkStats(passed=60, dropped=50, waiting=0, peak=1, capacity=1)
    links = {"capture -> detect": dropping, "detect -> swap": FREE, "swap -> out.mp4": FREE}
    overloaded = replace(REPORT, stages=stages, links=links)
    assert overloaded.bottleneck == "swap"
    seldom = replace(dropping, passed=109, dropped=1)
    calm = replace(overloaded, links=links | {"capture -> detect": seldom})
    assert calm.bottleneck == "source"
    assert replace(overloaded, live=False).bottleneck == "capture"


def test_repeats_are_not_counted_as_processed() -> None:
    report = replace(REPORT, frames_in=3811, frames_out=1503, held=61, dropped=2369)
    text = shown(report)
    assert "1442 of 3811 frames" in text
    assert "61 repeated while none came" in text


def test_one_picture_is_one_line() -> None:
    one = replace(REPORT, frames_in=1, frames_out=1, dropped=0, live=False, wall_s=0.8)
    assert shown(replace(one, faces_found=3, faces_swapped=2)) == (
        "1 picture in 0.8 s; faces: 3 found, 2 swapped, 1 missed\n"
    )


def test_a_run_that_swapped_nothing_says_so() -> None:
    assert nothing_swapped(REPORT) == ""
    none = replace(REPORT, faces_found=0, faces_swapped=0, frames_without_face=100, live=False)
    assert nothing_swapped(none) == (
        "no face was found in 100 frames: nothing was swapped, the output is the input"
    )
    assert "100 frames were withheld" in nothing_swapped(replace(none, withheld=100))
    assert nothing_swapped(replace(none, faces_found=7)) == (
        "none of the 7 faces that were found was swapped, the output is the input"
    )
    assert nothing_swapped(replace(none, frames_without_face=0)) == ""


def test_json_carries_the_derived_values() -> None:
    plain = json.loads(json.dumps(REPORT.to_json()))
    assert plain["fps"] == 25
    assert plain["faces_missed"] == 5
    assert plain["bottleneck"] == "swap"
    assert plain["links"]["capture -> swap"]["dropped"] == 10
    assert plain["stages"]["swap"]["utilization"] == 0.95


def test_people_see_the_same_numbers() -> None:
    text = shown(REPORT)
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
