"""The line that a training shows while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from export.stopping import SIMILARITY

if TYPE_CHECKING:
    from export import schedule


@contextmanager
def progress_line() -> Iterator[Callable[[schedule.Progress], None]]:
    """Show what is passed to the yielded function; plain lines where there is no terminal."""
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, refresh_per_second=2) as bar:
        task = bar.add_task("first step", total=1.0)
        printed_s = 0.0

        def show(progress: schedule.Progress) -> None:
            nonlocal printed_s
            line = describe(progress)
            bar.update(task, completed=min(progress.done, 1.0), description=line)
            if not bar.console.is_terminal and progress.seconds - printed_s >= 30:
                printed_s = progress.seconds
                bar.console.print(line, soft_wrap=True)

        yield show


def describe(progress: schedule.Progress) -> str:
    """One line: where the training is, how fast and how well it does.

    It shows the totals; what they are made of is in the log.
    """
    totals = {name: value for name, value in progress.losses.items() if name.startswith("total")}
    values = {**totals, **progress.validation}
    numbers = " ".join(f"{name} {value:.4f}" for name, value in values.items())
    return (
        f"step {progress.step} {progress.images_per_s:.0f} images/s rate {progress.rate:.1e} "
        f"{numbers}"
    )


def similarities(validation: Mapping[str, float]) -> str:
    """The SSIM of a validation, to be put behind a line; empty without one."""
    sides = [
        f"{name.removeprefix(SIMILARITY).upper()} {value:.3f}"
        for name, value in validation.items()
        if name.startswith(SIMILARITY)
    ]
    return f"; SSIM of held-out faces: {', '.join(sides)}" if sides else ""
