"""The One-Euro filter: steady when the face is still, close behind when it moves."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError

Points = NDArray[np.floating]
"""(N, 2) x, y."""


@dataclass(frozen=True)
class SmoothingSettings:
    """How landmarks are smoothed in time.

    Attributes:
        min_cutoff_hz: cutoff frequency for a still point; lower is steadier.
        beta_hz: rise of the cutoff per face size per second of speed; higher lags less.
        speed_cutoff_hz: cutoff frequency for the estimate of the speed.
        max_gap_s: after a longer pause the filter starts anew.
    """

    min_cutoff_hz: float = 0.5
    beta_hz: float = 20.0
    speed_cutoff_hz: float = 1.5
    max_gap_s: float = 0.25

    def __post_init__(self) -> None:
        for name in ("min_cutoff_hz", "speed_cutoff_hz", "max_gap_s"):
            if not getattr(self, name) > 0:
                raise EngineError(f"{name} is {getattr(self, name)!r}, expected more than 0")
        if not self.beta_hz >= 0:
            raise EngineError(f"beta_hz is {self.beta_hz!r}, expected 0 or more")


class OneEuro:
    """One filter for all points of one face.

    Speeds are measured in face sizes, so the same settings serve every resolution, and
    time comes from timestamps, so they serve every frame rate, a varying one too.

    Source:
        G. Casiez, N. Roussel, D. Vogel, "1 Euro Filter: A Simple Speed-based Low-pass
        Filter for Noisy Input in Interactive Systems", CHI 2012. Here a point's speed is
        the length of its filtered velocity.
    """

    def __init__(self, settings: SmoothingSettings) -> None:
        self._settings = settings
        self._time_ns: int | None = None
        self._points: NDArray[np.float64] = np.empty((0, 2))
        self._velocity: NDArray[np.float64] = np.empty((0, 2))

    def __call__(self, points: Points, face_size: float, time_ns: int) -> NDArray[np.float64]:
        """Smooth the next measurement.

        Args:
            points: (N, 2), not changed; the same N in each call.
            face_size: the unit of speed, in the units of `points`; above 0.
            time_ns: when it was measured. A step back or a gap restarts the filter.

        Returns:
            (N, 2) float64; after a restart equal to `points`.
        """
        elapsed_ns = -1 if self._time_ns is None else time_ns - self._time_ns
        settings = self._settings
        if not 0 <= elapsed_ns <= settings.max_gap_s * 1e9:
            self._time_ns = time_ns
            self._points = np.array(points, np.float64)
            self._velocity = np.zeros_like(self._points)
        elif elapsed_ns > 0:
            elapsed_s = elapsed_ns / 1e9
            velocity = (points - self._points) / elapsed_s
            gain = _gain(np.float64(settings.speed_cutoff_hz), elapsed_s)
            self._velocity = self._velocity + gain * (velocity - self._velocity)
            speed = np.hypot(self._velocity[:, 0], self._velocity[:, 1]) / face_size
            cutoff = settings.min_cutoff_hz + settings.beta_hz * speed
            self._points = self._points + _gain(cutoff, elapsed_s)[:, None] * (
                points - self._points
            )
            self._time_ns = time_ns
        return self._points.copy()


def _gain(cutoff_hz: NDArray[np.float64] | np.float64, elapsed_s: float) -> NDArray[np.float64]:
    turn = 2 * pi * cutoff_hz * elapsed_s
    return np.asarray(turn / (turn + 1.0), np.float64)
