"""loss.png: how the losses and the validation went, drawn from the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from export.journal import Entry
from export.replacing import replacing

_PANELS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("loss terms", lambda name: name != "rate" and not name.startswith("val_")),
    ("held-out faces: mean error", lambda name: name.startswith("val_l1")),
    ("held-out faces: SSIM", lambda name: name.startswith("val_ssim")),
)


def plot_log(entries: Sequence[Entry], path: Path) -> None:
    """Replace a PNG file by curves over the images seen; nothing to draw draws nothing.

    Args:
        entries: of the log.
        path: where to write; whoever looks at it never sees half a picture.

    Raises:
        OSError: it cannot be written.
    """
    curves: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for entry in entries:
        curves[entry.name].append((entry.images, entry.value))
    panels = [(title, [name for name in curves if shown(name)]) for title, shown in _PANELS]
    panels = [(title, names) for title, names in panels if names]
    if not panels:
        return
    # Without pyplot, which holds figures and a display for the whole process.
    figure = Figure(figsize=(5 * len(panels), 4), layout="constrained")
    for axes, (title, names) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        for name in names:
            images, values = zip(*curves[name], strict=True)
            axes.plot(images, values, marker="." if len(images) < 20 else None, label=name)
        axes.set(title=title, xlabel="images")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small", loc="upper right", ncols=1 + len(names) // 6)
    with replacing(path) as part:
        figure.savefig(part, format="png")
