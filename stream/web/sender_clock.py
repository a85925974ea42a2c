"""Another machine's clock, as far as it shows in what that machine sends."""

from __future__ import annotations


class SenderClock:
    """Follows a foreign monotonic clock by what arrives with its time stamps.

    The quickest message tells the offset best; what any other one took longer is delay on
    the way and no part of its time. Clocks drift apart, so an old offset is trusted less.
    The constant part of the way cannot be seen from here and stays in.
    """

    _DRIFT = 100e-6
    _LONGEST_DELAY_MS = 2000.0

    def __init__(self) -> None:
        self._offset_ms: float | None = None
        self._arrived_ms = self._sent_ms = 0.0

    def captured_ns(self, sent_ms: float, arrived_ns: int) -> int:
        """When a message was sent, on this machine's clock; never later than its arrival.

        Args:
            sent_ms: the time stamp in it, on the sender's clock.
            arrived_ns: when it came, on this machine's clock.
        """
        arrived_ms = arrived_ns / 1e6
        offset_ms = arrived_ms - sent_ms
        if self._offset_ms is not None and sent_ms > self._sent_ms:
            drifted_ms = self._offset_ms + (arrived_ms - self._arrived_ms) * self._DRIFT
            # A clock that stands, runs backwards or is late beyond reason was set anew.
            if offset_ms - drifted_ms < self._LONGEST_DELAY_MS:
                offset_ms = min(offset_ms, drifted_ms)
        self._offset_ms, self._arrived_ms, self._sent_ms = offset_ms, arrived_ms, sent_ms
        delay_ms = max(arrived_ms - sent_ms - offset_ms, 0.0)
        return arrived_ns - round(delay_ms * 1e6)
