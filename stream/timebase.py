"""Ticks of an exact time base to integer nanoseconds and back."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

NS_PER_S = 1_000_000_000


class Rational(Protocol):
    """Any exact ratio: a `Fraction`, or PyAV's own type."""

    @property
    def numerator(self) -> int:
        """Above the line."""

    @property
    def denominator(self) -> int:
        """Below the line, positive."""


def fraction(value: Rational) -> Fraction:
    """Copies any exact ratio into a `Fraction`, which PyAV does not promise to hand out."""
    return Fraction(value.numerator, value.denominator)


def to_ns(ticks: int, time_base: Fraction) -> int:
    """Converts ticks to nanoseconds, rounded to the nearest.

    Args:
        ticks: a timestamp or a duration; may be negative.
        time_base: seconds per tick.
    """
    numerator = ticks * time_base.numerator * NS_PER_S
    return (2 * numerator + time_base.denominator) // (2 * time_base.denominator)


def to_ticks(ns: int, time_base: Fraction) -> int:
    """Converts nanoseconds to ticks, rounded to the nearest.

    The inverse of `to_ns` for every time base whose tick is longer than 1 ns.

    Args:
        ns: a timestamp or a duration; may be negative.
        time_base: seconds per tick.
    """
    divisor = time_base.numerator * NS_PER_S
    return (2 * ns * time_base.denominator + divisor) // (2 * divisor)
