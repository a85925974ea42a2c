"""What is said about a number."""

from __future__ import annotations

import math

import pytest

from benchmarks.quality.clip import ClipRun
from benchmarks.quality.trials import Flicker, HairCrossing, Identity
from benchmarks.quality.verdicts import UNFILTERED, Number, Trials, Verdict, numbers, render

NOTHING = Trials(None, {}, {}, None)


@pytest.mark.parametrize(
    ("value", "original", "verdict"),
    [
        (2.0, None, "pass"),
        (2.01, None, "FAIL"),
        (2.01, 5.0, "natural"),
        (5.4, 5.0, "natural"),
        (5.6, 5.0, "FAIL"),
        (math.nan, 5.0, "not measured"),
    ],
)
def test_at_most(value: float, original: float | None, verdict: Verdict) -> None:
    assert Number("seam", value, 2.0, original).verdict == verdict


def test_at_least() -> None:
    assert Number("identity", 50.0, 50.0, at_least=True).verdict == "pass"
    assert Number("identity", 49.9, 50.0, at_least=True).verdict == "FAIL"
    assert Number("identity", math.inf, 50.0, at_least=True).to_json()["value"] is None


def test_without_target_nothing_fails() -> None:
    assert Number("ms", 1e9).verdict == "no target"


def test_a_clip_without_a_face_has_no_numbers_but_its_frames() -> None:
    found = {number.name: number for number in numbers(ClipRun("empty", frames=8), NOTHING)}
    assert found["frames with a new face, %"].value == 0.0
    assert found["seam dE00 median"].verdict == "not measured"
    assert found["pixels changed outside"].verdict == "pass"
    assert "not measured" in render("empty", list(found.values()))


def test_changed_pixels_and_trials_are_judged() -> None:
    run = ClipRun("bad", frames=8, changed_outside=1)
    shaken = {"+-1 px": Flicker(0.1, 2.5), f"+-1 px {UNFILTERED}": Flicker(9.0, 9.0)}
    trials = Trials(Flicker(0.6, 0.1), shaken, {128: Identity(49.0, 40.0)}, HairCrossing(9.0, 16.0))
    failed = {number.name for number in numbers(run, trials) if number.verdict == "FAIL"}
    assert failed == {
        "pixels changed outside",
        "still: sigma",
        "still, +-1 px: largest step",
        "hair crossing, largest jump",
        "identity at 128 px, frame, dB",
    }
    assert render("bad", list(numbers(run, trials))).count("FAIL") == 5
