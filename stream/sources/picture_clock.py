"""Times of pictures that grow, whatever a stream says."""

from __future__ import annotations

from fractions import Fraction

from stream.timebase import NS_PER_S, to_ticks

_DEFAULT_RATE = Fraction(25)
_JUMP_NS = NS_PER_S  # A step in a live clock that nobody waited for, this far off.


class PictureClock:
    """Stamps pictures in ticks of one time base, each later than the one before.

    Attributes:
        shift: ticks that were added to the stream's own times, because a live clock jumped.
    """

    def __init__(
        self,
        time_base: Fraction,
        first_ticks: int,
        rate: Fraction | None,
        *,
        live: bool,
        timed: bool = True,
    ) -> None:
        """Start before the first picture.

        Args:
            time_base: seconds per tick.
            first_ticks: time of the first picture if it does not tell.
            rate: distance of pictures in a file that do not tell their time.
            live: pictures that do not tell their time have that of their arrival, and when
                the clock jumps (a camera that asks a time server) time just goes on.
            timed: False if the stream's times are made up from a guessed rate.
        """
        self._time_base = time_base
        self._first_ticks = first_ticks
        self._gap_ns = round(NS_PER_S / (rate or _DEFAULT_RATE))
        self._live = live
        self._timed = timed
        self._last: int | None = None
        self._last_arrived_ns = 0
        self.shift = 0

    def stamp(self, pts: int | None, arrived_ns: int) -> int:
        """The time of the next picture.

        Args:
            pts: as the stream says, in ticks.
            arrived_ns: `time.monotonic_ns()` when it came.
        """
        pts = pts if self._timed else None
        if self._last is None:
            ticks = self._first_ticks if pts is None else pts
        else:
            passed_ns = arrived_ns - self._last_arrived_ns if self._live else self._gap_ns
            passed = to_ticks(passed_ns, self._time_base)
            ticks = self._last + passed if pts is None else self._follow(pts, passed)
            ticks = max(ticks, self._last + 1)
        self._last, self._last_arrived_ns = ticks, arrived_ns
        return ticks

    def _follow(self, pts: int, passed: int) -> int:
        assert self._last is not None
        step = pts + self.shift - self._last
        far = to_ticks(_JUMP_NS, self._time_base)
        # After a stall, pictures come late but their steps are as ever: that is no jump.
        if self._live and not 0 <= step <= far and abs(step - passed) > far:
            self.shift += passed - step
        return pts + self.shift
