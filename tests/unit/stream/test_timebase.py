from __future__ import annotations

from fractions import Fraction

import pytest

from stream.timebase import fraction, to_ns, to_ticks


@pytest.mark.parametrize(
    ("ticks", "time_base", "ns"),
    [
        (1, Fraction(1, 3), 333_333_333),
        (2, Fraction(1, 3), 666_666_667),
        (-1, Fraction(1, 3), -333_333_333),
        (90_000 * 86_400 * 365, Fraction(1, 90_000), 86_400 * 365 * 10**9),
        (1001, Fraction(1001, 30_000), 33_400_033_333),
    ],
)
def test_ticks_become_the_nearest_nanosecond(ticks: int, time_base: Fraction, ns: int) -> None:
    assert to_ns(ticks, time_base) == ns


@pytest.mark.parametrize("denominator", [25, 1000, 12_800, 44_100, 90_000, 1_000_000])
def test_round_trip_is_exact_after_a_day(denominator: int) -> None:
    time_base = Fraction(1, denominator)
    for ticks in range(86_400 * denominator, 86_400 * denominator + 50):
        assert to_ticks(to_ns(ticks, time_base), time_base) == ticks
        assert to_ticks(to_ns(-ticks, time_base), time_base) == -ticks


def test_other_rationals_are_copied() -> None:
    class Rational:
        numerator, denominator = 2, 8

    assert fraction(Rational()) == Fraction(1, 4)
