from __future__ import annotations

import pytest

from stream.late_start import LateStart


def rounds(late: LateStart, slacks_s: list[float]) -> list[float]:
    """Hand over frames that would be ready so long before the next stage; the waits."""
    waits_s = []
    for slack_s in slacks_s:
        waits_s.append(max(slack_s - late.linger_s, 0.0))
        late.handed_over(waits_s[-1])
    return waits_s


def test_steady_slack_becomes_a_later_start_and_stays_one() -> None:
    late = LateStart()
    waits_s = rounds(late, [0.040] * 50)
    assert late.linger_s == pytest.approx(0.030)
    assert waits_s[-1] == pytest.approx(0.010)


def test_one_long_wait_is_no_reason_to_begin_later() -> None:
    late = LateStart()
    rounds(late, [0.0] * 8 + [0.5] + [0.0] * 3)
    assert late.linger_s == 0


def test_nobody_is_held_up_for_long_by_a_stage_that_has_become_faster() -> None:
    late = LateStart()
    rounds(late, [0.040] * 20)
    rounds(late, [0.0] * 8)
    assert late.linger_s < 0.004
