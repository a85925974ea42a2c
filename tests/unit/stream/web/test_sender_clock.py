from __future__ import annotations

import pytest

from stream.web.sender_clock import SenderClock

AHEAD_MS = 5000.0
"""How far this machine's clock is ahead of the sender's."""


def captured_ms(clock: SenderClock, sent_ms: float, way_ms: float) -> float:
    arrived_ns = round((sent_ms + AHEAD_MS + way_ms) * 1e6)
    captured_ns = clock.captured_ns(sent_ms, arrived_ns)
    assert captured_ns <= arrived_ns
    return captured_ns / 1e6 - AHEAD_MS


def test_delay_on_the_way_is_taken_out() -> None:
    clock = SenderClock()
    ways_ms = [10.0, 60.0, 10.0, 300.0, 35.0]
    for number, way_ms in enumerate(ways_ms):
        sent_ms = 33.0 * number
        # The shortest way itself cannot be seen.
        assert captured_ms(clock, sent_ms, way_ms) == pytest.approx(sent_ms + 10, abs=0.05)


def test_a_shorter_way_corrects_the_estimate() -> None:
    clock = SenderClock()
    captured_ms(clock, 0, 50)
    assert captured_ms(clock, 33, 5) == pytest.approx(38)
    assert captured_ms(clock, 66, 50) == pytest.approx(71, abs=0.05)


def test_clocks_that_drift_apart_are_followed() -> None:
    clock = SenderClock()
    for second in range(3600):
        # 50 parts per million: 180 ms an hour.
        way_ms = 10 + 0.05 * second
        late_ms = captured_ms(clock, 1000.0 * second, way_ms) - 1000.0 * second - way_ms
        assert late_ms == pytest.approx(0, abs=1)


@pytest.mark.parametrize("sent_ms", [0.0, -1e6, 100.0, -1e300, 1e300])
def test_a_clock_that_was_set_anew_or_stands_counts_from_its_arrival(sent_ms: float) -> None:
    clock = SenderClock()
    clock.captured_ns(100.0, 1_000_000_000)
    assert clock.captured_ns(sent_ms, 1_500_000_000) == 1_500_000_000
