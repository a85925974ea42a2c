"""What an extraction tells while it runs, and how it is asked to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from export.interrupts import interrupts


class Monitor(Protocol):
    """Watches an extraction.

    Attributes:
        stopped: the extraction shall save what it has and end.
    """

    stopped: bool

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def show(self, doing: str, done: int, total: int | None) -> None:
        """Show how far the current part of the work is; the total may be unknown."""


class Terminal:
    """A progress bar and lines on standard error."""

    def __init__(self, progress: Progress) -> None:
        self.stopped = False
        self._progress = progress
        self._task = progress.add_task("", total=None, visible=False)
        self._doing = ""

    def stop(self) -> None:
        """Ask the extraction to save what it has and end.

        Raises:
            KeyboardInterrupt: it has been asked already.
        """
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def show(self, doing: str, done: int, total: int | None) -> None:
        """Move the bar; another part of the work begins a new one."""
        if doing != self._doing:
            self._doing = doing
            self._progress.reset(self._task, description=doing, visible=True)
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Show an extraction on the terminal.

    The first Ctrl-C or SIGTERM sets `stopped`, the second one raises KeyboardInterrupt.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as progress:
        monitor = Terminal(progress)
        with interrupts(monitor.stop):
            yield monitor
