"""The curves of the compared trainings as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_COLORS = ("#bbbbbb", "#4477aa", "#228833")


def plot(curves: Mapping[str, Sequence[Mapping[str, float]]], aim: float, file: Path) -> None:
    """Draw L1 over images and similarity over time.

    Args:
        curves: by name, points as in `benchmarks.train_runs.Point`.
        aim: similarity that makes a model usable.
        file: PNG to write.
    """
    import matplotlib as mpl  # noqa: PLC0415  # slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
    for color, (name, points) in zip(_COLORS, curves.items(), strict=True):
        style: dict[str, Any] = {"color": color, "label": name}
        left.plot(_column(points, "images"), _column(points, "l1"), **style)
        minutes = [seconds / 60 for seconds in _column(points, "seconds")]
        right.plot(minutes, _column(points, "full_ssim"), **style)
    left.set(xlabel="images seen", ylabel="held-out L1 at 64 px", xscale="log", yscale="log")
    right.axhline(aim, color="black", linewidth=0.8, linestyle=":")
    right.set(xlabel="minutes", ylabel="held-out SSIM of B, own size")
    right.legend(frameon=False)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _column(points: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [point[name] for point in points]
