from __future__ import annotations

from fractions import Fraction

from stream.sources.picture_clock import PictureClock

TICK = Fraction(1, 1000)  # So that a tick is a millisecond.
MS = 1_000_000


def stamps(clock: PictureClock, *pictures: tuple[int | None, int]) -> list[int]:
    return [clock.stamp(pts, arrived_ms * MS) for pts, arrived_ms in pictures]


def test_a_file_that_tells_no_time_has_its_rate() -> None:
    clock = PictureClock(TICK, 500, Fraction(20), live=False)
    assert stamps(clock, (None, 0), (None, 1), (None, 900)) == [500, 550, 600]


def test_a_live_picture_that_tells_no_time_has_that_of_its_arrival() -> None:
    clock = PictureClock(TICK, 0, None, live=True)
    assert stamps(clock, (None, 7000), (None, 7100), (140, 7140)) == [0, 100, 140]


def test_guessed_times_are_replaced_by_arrivals() -> None:
    clock = PictureClock(TICK, 0, Fraction(25), live=True, timed=False)
    assert stamps(clock, (0, 50), (40, 150), (80, 250)) == [0, 100, 200]


def test_times_grow_even_where_the_stream_s_do_not() -> None:
    clock = PictureClock(TICK, 0, None, live=False)
    assert stamps(clock, (0, 0), (0, 1), (-5, 2), (40, 3)) == [0, 1, 2, 40]


def test_a_live_clock_that_jumps_goes_on() -> None:
    for jump in (90_000, -90_000):
        clock = PictureClock(TICK, 0, None, live=True)
        pictures = ((0, 0), (40, 40), (80 + jump, 80), (120 + jump, 120))
        assert stamps(clock, *pictures) == [0, 40, 80, 120]
        assert clock.shift == -jump


def test_a_pause_is_no_jump() -> None:
    silent = PictureClock(TICK, 0, None, live=True)
    assert stamps(silent, (0, 0), (5000, 5000), (5040, 5040)) == [0, 5000, 5040]
    stalled = PictureClock(TICK, 0, None, live=True)
    assert stamps(stalled, (0, 0), (40, 5000), (80, 5001)) == [0, 40, 80]
    assert silent.shift == stalled.shift == 0


def test_a_file_may_jump_as_it_likes() -> None:
    clock = PictureClock(TICK, 0, None, live=False)
    assert stamps(clock, (0, 0), (90_000, 1)) == [0, 90_000]
