"""When to begin so that a result is ready just when it can be handed over."""

from __future__ import annotations

from collections import deque

_REMEMBERED = 8
_SHARE = 0.75


class LateStart:
    """Turns time that a finished frame would wait into time before its work begins.

    A live stage before a slower one has slack: it lingers before it takes its next frame, so
    that it takes a newer one. It goes by the least slack of the latest frames, and leaves a
    part of that, so nothing slows down when stages are about as fast as each other or when the
    next one becomes faster.

    Attributes:
        linger_s: how long to wait before taking the next frame.
    """

    def __init__(self) -> None:
        """Without experience there is nothing to wait for."""
        self.linger_s = 0.0
        self._slacks_s: deque[float] = deque(maxlen=_REMEMBERED)

    def handed_over(self, waited_s: float) -> None:
        """Learn how long a finished frame had to wait for the next stage."""
        self._slacks_s.append(self.linger_s + waited_s)
        if len(self._slacks_s) == _REMEMBERED:
            self.linger_s = _SHARE * min(self._slacks_s)
