"""What leaves a live pipeline while nothing comes: the last picture for a while, then a slate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from stream.errors import ConfigError
from stream.frame import Frame
from stream.slate import slate
from stream.timebase import NS_PER_S


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How outputs are kept alive while a live source is silent.

    Attributes:
        patience_s: a picture is missed when none came for so long.
        hold_s: how long the last picture is repeated before the slate takes its place.
        held_rate_hz: repeated pictures per second.
    """

    patience_s: float = 0.5
    hold_s: float = 2.0
    held_rate_hz: float = 10.0

    def __post_init__(self) -> None:
        for name in ("patience_s", "held_rate_hz"):
            value = getattr(self, name)
            if not value > 0:
                raise ConfigError(f"{name} is {value:g}; expected more than 0")
        if not self.hold_s >= 0:
            raise ConfigError(f"hold_s is {self.hold_s:g}; expected 0 or more seconds")


class Gate:
    """Passes frames on with rising times, and makes some when none come.

    Called by one thread: with each frame that left the last stage, and with None when the
    time of `patience_s` has passed without any.

    Attributes:
        held: how many frames it has made.
    """

    def __init__(
        self, settings: GateSettings, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._settings = settings
        self._clock_ns = clock_ns
        self._last: Frame | None = None
        self._slate: Frame | None = None
        self._came_ns = self._left_ns = 0
        self.held = 0

    def patience_s(self) -> float | None:
        """How long to wait for the next frame; None before the first."""
        if self._last is None:
            return None
        wait_s = 1 / self._settings.held_rate_hz if self._last.held else self._settings.patience_s
        due_ns = self._left_ns + round(wait_s * NS_PER_S)
        return max(due_ns - self._clock_ns(), 0) / NS_PER_S

    def __call__(self, frame: Frame | None) -> Frame:
        """The frame to send: this one, or one in its place.

        Args:
            frame: None when none came in time; then there has been one before.
        """
        now_ns = self._clock_ns()
        if frame is None:
            frame = self._stand_in(now_ns)
            self.held += 1
        else:
            self._came_ns, self._slate = now_ns, None
            if self._last is not None and frame.pts_ns <= self._last.pts_ns:
                # Frames made up meanwhile may reach a little further than the source's time.
                frame = replace(frame, pts_ns=self._last.pts_ns + 1)
        self._last, self._left_ns = frame, now_ns
        return frame

    def _stand_in(self, now_ns: int) -> Frame:
        last = self._last
        assert last is not None, "asked for a picture before the first one"
        if self._slate is None and now_ns - self._came_ns >= self._settings.hold_s * NS_PER_S:
            self._slate = replace(last, image=slate(*last.image.shape[1::-1]), original=None)
        return replace(
            self._slate or last,
            pts_ns=last.pts_ns + now_ns - self._left_ns,
            faces=(),
            audio=(),
            held=True,
        )
