"""Pictures that say when they were captured, from the source to the file."""

from __future__ import annotations

import json
import time
from pathlib import Path

from stream import stamp
from tests.e2e.conftest import RunProgram, read_pictures


def test_stamps_are_in_the_file_and_their_age_in_the_report(
    program: RunProgram, tmp_path: Path
) -> None:
    began_ns = time.monotonic_ns()
    done = program(
        "demo", "--stamp", "--lossless", "--duration", "1.5", "-o", "out.mp4", "--report", "r.json"
    )
    took_ns = time.monotonic_ns() - began_ns
    assert done.returncode == 0, done.stderr
    times_ms = [stamp.read(picture) for picture in read_pictures(tmp_path / "out.mp4")]
    ages_ns = [stamp.age_ns(time_ms, began_ns) for time_ms in times_ms if time_ms is not None]
    assert len(ages_ns) == len(times_ms)
    # Captured in order, while the program ran.
    assert ages_ns == sorted(ages_ns, reverse=True)
    assert -took_ns < ages_ns[-1] < ages_ns[0] < 0

    report = json.loads((tmp_path / "r.json").read_text())
    stamps = report["stamps"]["out.mp4"]
    assert stamps["read"] == len(times_ms)
    assert stamps["unreadable"] == 0
    # The picture's own word and the pipeline's: the same but for rounding to milliseconds.
    for which in ("p50", "p95", "p99"):
        assert 0 <= stamps["age_ms"][which] - report["age_ms"][which] <= 1
    assert "age by stamp" in done.stderr
