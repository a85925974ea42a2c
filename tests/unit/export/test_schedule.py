from __future__ import annotations

import pytest

from export.schedule import CLASSIC_2017, Schedule


def test_rate_rises_then_falls_to_its_end() -> None:
    schedule = Schedule(steps=1000, learning_rate=1.0, final_rate=0.1, warmup_steps=100)
    rates = [schedule.rate(step, schedule.progress(step, 0.0)) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01)
    peak = rates.index(max(rates))
    assert 90 <= peak <= 110
    assert sorted(rates[peak:], reverse=True) == rates[peak:]
    assert rates[-1] == pytest.approx(0.1)


def test_whichever_limit_is_nearer_counts() -> None:
    schedule = Schedule(steps=100, minutes=10.0)
    assert schedule.progress(50, 60.0) == 0.5
    assert schedule.progress(10, 540.0) == 0.9


def test_the_rate_of_2017_is_constant() -> None:
    assert {CLASSIC_2017.rate(step, step / 9) for step in range(10)} == {5e-5}
