"""What readers saw, and what follows from it; no process, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream import stamp

WINDOW_S = 10.0
"""Growth is a line through one value of each window this long."""


@dataclass(frozen=True)
class Seen:
    """When one reader saw which picture.

    Attributes:
        at_ns: by stamp in milliseconds, when a picture that carries it was first seen.
        pictures: how many pictures it saw.
        unreadable: those among them without a readable stamp.
    """

    at_ns: dict[int, int]
    pictures: int
    unreadable: int

    @classmethod
    def load(cls, file: Path) -> Seen:
        """Read what `benchmarks.latency.reader` wrote; a torn last line is left out."""
        text = file.read_text(encoding="ascii")
        lines = text[: text.rfind("\n") + 1].splitlines()
        at_ns: dict[int, int] = {}
        unreadable = 0
        for line in lines:
            now_ns, time_ms = (int(word) for word in line.split())
            if time_ms < 0:
                unreadable += 1
            else:
                at_ns.setdefault(time_ms, now_ns)
        return cls(at_ns, len(lines), unreadable)

    def ages_ms(self, began_ns: int, ended_ns: int) -> dict[int, float]:
        """Glass to glass, by stamp, of pictures captured in a span of monotonic time."""
        return {
            time_ms: stamp.age_ns(time_ms, now_ns) / 1e6
            for time_ms, now_ns in self.at_ns.items()
            if began_ns <= now_ns - stamp.age_ns(time_ms, now_ns) < ended_ns
        }


def added_ms(near: dict[int, float], far: dict[int, float]) -> dict[int, float]:
    """What lies between two readers, for every picture that both saw."""
    return {time_ms: far[time_ms] - near[time_ms] for time_ms in near if time_ms in far}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Percentiles in the unit of the values."""
    if not values:
        return {"p50": float("nan"), "p95": float("nan"), "p99": float("nan")}
    p50, p95, p99 = np.percentile(np.array(values), (50, 95, 99))
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99)}


def by_window(
    times_s: Sequence[float], values: Sequence[float], percentile: float
) -> list[tuple[float, float]]:
    """A percentile of each window, with the window's middle in seconds.

    A low one of latencies is their floor: what piles up raises it, and a processor that is busy
    with something else for a while does not.
    """
    times, kept = np.array(times_s), np.array(values)
    if times.size == 0:
        return []
    windows = (times // WINDOW_S).astype(int)
    return [
        ((window + 0.5) * WINDOW_S, float(np.percentile(kept[windows == window], percentile)))
        for window in np.unique(windows)
    ]


def slope(points: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    """How fast something grows: the least-squares line and what it is worth.

    Returns:
        Growth per minute and its standard error, None with fewer than six points.
    """
    if len(points) < 6:
        return None
    x: NDArray[np.float64] = np.array([second / 60 for second, _ in points])
    y: NDArray[np.float64] = np.array([value for _, value in points])
    rise, level = np.polyfit(x, y, 1)
    residual = y - (rise * x + level)
    error = np.sqrt(residual @ residual / (len(x) - 2) / ((x - x.mean()) ** 2).sum())
    return {"per_minute": float(rise), "standard_error": float(error)}
