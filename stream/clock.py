"""Time: nanoseconds inside, exact fractions at the edges, pacing by deadlines."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

NS_PER_S = 1_000_000_000


def ticks_to_ns(ticks: int, time_base: Fraction) -> int:
    """Nearest nanosecond to `ticks * time_base` seconds; exact integer arithmetic."""
    return _divide_rounding(ticks * time_base.numerator * NS_PER_S, time_base.denominator)


def ns_to_ticks(ns: int, time_base: Fraction) -> int:
    """Nearest tick to `ns`; the inverse of `ticks_to_ns` for time bases above 2 ns."""
    return _divide_rounding(ns * time_base.denominator, NS_PER_S * time_base.numerator)


def _divide_rounding(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


class Pacer:
    """Holds frames back until their time, counting from the first one.

    Each deadline is derived from the first frame, not from the last wake-up, so that late
    wake-ups do not add up.
    """

    def __init__(self) -> None:
        self._origin_ns: int | None = None
        self._interrupted = threading.Event()

    def wait(self, pts_ns: int) -> bool:
        """Sleep until `pts_ns` after the first call; False if interrupted."""
        now_ns = time.monotonic_ns()
        if self._origin_ns is None:
            self._origin_ns = now_ns - pts_ns
        delay_ns = self._origin_ns + pts_ns - now_ns
        return not self._interrupted.wait(max(delay_ns, 0) / NS_PER_S)

    def interrupt(self) -> None:
        """Release the waiting thread for good."""
        self._interrupted.set()
