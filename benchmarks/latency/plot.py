"""Pictures of `python -m benchmarks latency`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_NAMES = {
    "copy": "packets copied",
    "encode": "decoded, encoded",
    "facestream": "facestream",
    "overload": "facestream,\none stage at 2x",
}
_COLORS = {"copy": "#bbbbbb", "encode": "#999999", "facestream": "#228833", "overload": "#ccbb44"}


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw latencies of all relays, and how they went on over minutes, into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    relays = result["relays"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.0), width_ratios=(1, 1))
    names = [name for name in _NAMES if name in relays][::-1]
    for row, name in enumerate(names):
        added = relays[name]["added_ms"]
        left.barh(row, added["p50"], color=_COLORS[name])
        left.plot([added["p50"], added["p95"]], [row, row], color="#333333", linewidth=1.2)
        left.plot([added["p95"]], [row], "|", color="#333333", markersize=10)
    left.set_yticks(range(len(names)), [_NAMES[name] for name in names])
    left.set_xlabel("ms added between two RTSP servers: p50, line to p95")
    long = relays.get("long")
    if long is not None:
        minutes, added_ms = zip(*long["added_ms_by_time"], strict=True)
        right.plot([second / 60 for second in minutes], added_ms, color="#228833")
        right.set_ylim(0, max(added_ms) * 1.3)
        right.set_ylabel("ms added, median of 10 s", color="#228833")
        memory = right.twinx()
        minutes, used_mb = zip(*long["memory_mb_by_time"], strict=True)
        memory.plot([second / 60 for second in minutes], used_mb, color="#4477aa")
        memory.set_ylim(0, max(used_mb) * 1.3)
        memory.set_ylabel("MB resident", color="#4477aa")
        memory.spines[["top"]].set_visible(False)
    right.set_xlabel("minutes")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)
