"""Ctrl-C and SIGTERM: whatever is going on saves what it has before it ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
"""Exit code of a command that was asked to end before it was done."""


@contextmanager
def interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """Inside the block SIGINT and SIGTERM call `stop` instead of ending the process.

    A command in the background ignores SIGINT unless told otherwise, and is ended by SIGTERM:
    both shall save. Only the main thread may use this.

    Args:
        stop: called by the main thread between two of its instructions; takes a note, and
            raises KeyboardInterrupt if it is asked again and cannot wait.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
