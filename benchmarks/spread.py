"""A figure measured several times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float]) -> dict[str, float]:
    """Least, middle and greatest of repeats; `benchmarks.against` knows these three names."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}
