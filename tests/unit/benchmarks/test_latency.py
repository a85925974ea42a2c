from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.latency.command import goals
from benchmarks.latency.seen import Seen, added_ms, by_window, slope, spread

MS = 1_000_000


def relay(added_ms: float, **more: Any) -> dict[str, Any]:
    return {"added_ms": {"p50": added_ms, "p95": added_ms + 10}, **more}


def report(age_ms: float, dropped: int = 0) -> dict[str, Any]:
    return {
        "frame_age_ms": {"p95": age_ms},
        "stages_ms": 20.0,
        "frames_in": 100,
        "frames_out": 100 - dropped,
        "dropped": dropped,
    }


def test_a_readers_notes_are_understood(tmp_path: Path) -> None:
    notes = tmp_path / "seen.txt"
    # The first time counts when a picture comes twice; the last line was being written.
    notes.write_text(f"{50 * MS} 10\n{60 * MS} 10\n{70 * MS} -1\n{90 * MS} 43\n{99 * MS} 4")
    seen = Seen.load(notes)
    assert seen.at_ns == {10: 50 * MS, 43: 90 * MS}
    assert (seen.pictures, seen.unreadable) == (4, 1)
    assert seen.ages_ms(0, 100 * MS) == {10: 40.0, 43: 47.0}


def test_only_pictures_captured_in_time_count() -> None:
    seen = Seen({10: 50 * MS, 43: 90 * MS, 76: 120 * MS}, 3, 0)
    assert list(seen.ages_ms(20 * MS, 76 * MS)) == [43]


def test_every_picture_is_its_own_comparison() -> None:
    assert added_ms({10: 40.0, 43: 45.0}, {43: 95.0, 76: 99.0}) == {43: 50.0}


def test_a_spread_of_nothing_is_no_number() -> None:
    assert spread([5.0])["p99"] == 5.0
    assert math.isnan(spread([])["p50"])


def test_growth_is_found_and_a_flat_line_has_none() -> None:
    times_s = [float(second) for second in range(600)]
    grown = slope(by_window(times_s, [50 + second / 60 * 3 for second in times_s], 50))
    assert grown is not None
    assert grown["per_minute"] == pytest.approx(3)
    flat = slope(by_window(times_s, [50 + second % 2 for second in times_s], 50))
    assert flat is not None
    assert abs(flat["per_minute"]) < 1e-9
    assert slope(by_window(times_s[:30], [1.0] * 30, 50)) is None


def test_a_busy_while_does_not_raise_the_floor() -> None:
    times_s = [second / 10 for second in range(6000)]
    late_ms = [50.0 + (400 if 300 < second < 400 and second % 1 else 0) for second in times_s]
    floor = by_window(times_s, late_ms, 5)
    assert {value for _, value in floor} == {50.0}


def test_goals_are_judged_by_what_was_measured() -> None:
    relays = {
        "copy": relay(45),
        "facestream": relay(120, report=report(90)),
        "overload": relay(300, report=report(260, dropped=50)),
    }
    met = {goal["goal"]: goal["met"] for goal in goals(relays)}
    assert list(met.values()) == [True, True, True, False, True]
    relays["facestream"] = relay(133, report=report(101))
    assert [goal["met"] for goal in goals(relays)][:3] == [False, False, False]
    assert goals({"copy": relay(45)}) == []
