"""The picture of `benchmarks/gpu/run.sh`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_COLORS = {
    "batches": "#228833",
    "batches_without_graphs": "#4477aa",
    "batches_in_float32": "#ccbb44",
}


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw throughput and latency by batch size, and memory; what is missing stays empty."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (rate, latency, memory) = plt.subplots(1, 3, figsize=(11, 3.0))
    for name, color in _COLORS.items():
        batches = result.get(name, {}).get("batches")
        if batches is None:
            continue
        rows = [int(key) for key in batches]
        label = name.replace("_", " ")
        rate.plot(rows, [b["faces_per_s"] for b in batches.values()], color=color, label=label)
        latency.plot(rows, [b["p50_ms"] for b in batches.values()], color=color, label=label)
        latency.plot(rows, [b["p99_ms"] for b in batches.values()], color=color, linestyle=":")
    rate.set(xlabel="faces in a batch", ylabel="faces a second")
    latency.set(
        xlabel="faces in a batch", ylabel="ms a run (dotted: p99)", xscale="log", yscale="log"
    )
    rate.legend(fontsize="small")
    memory_mib = result.get("memory", {}).get("mib", [])
    runs = result.get("memory", {}).get("runs", 0)
    places = [runs * number / max(len(memory_mib), 1) for number in range(len(memory_mib))]
    memory.plot(places, memory_mib, color="#aa3377")
    memory.set(xlabel="runs", ylabel="MiB in use", ylim=(0, None))
    for axis in (rate, latency, memory):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)
