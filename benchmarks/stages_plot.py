"""The picture of `python -m benchmarks stages`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_COLORS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377")


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw each scene's stages as bars, and their bounds as black marks, into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    scenes = result["scenes"]
    figure, axis = plt.subplots(figsize=(9, 3.4))
    names = list(next(iter(scenes.values()))["stages"])
    width = 0.8 / len(names)
    for column, (name, color) in enumerate(zip(names, _COLORS, strict=True)):
        places = [row + (column - (len(names) - 1) / 2) * width for row in range(len(scenes))]
        stages = [scene["stages"][name] for scene in scenes.values()]
        medians = [stage["ms"]["median"] for stage in stages]
        error = [
            [stage["ms"]["median"] - stage["ms"]["min"] for stage in stages],
            [stage["ms"]["max"] - stage["ms"]["median"] for stage in stages],
        ]
        axis.bar(places, medians, width, yerr=error, color=color, label=name, capsize=1.5)
        bounds = [stage["bound_ms"] for stage in stages]
        axis.scatter(places, bounds, marker="_", color="black", s=40, zorder=3)
    axis.scatter([], [], marker="_", color="black", label="bound")
    axis.set_yscale("log")
    axis.set_ylabel("ms a frame, alone")
    axis.set_xticks(range(len(scenes)), [scene.replace(", ", "\n") for scene in scenes])
    axis.legend(fontsize="small", ncols=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
