"""One call of a stage or sink: timed, and with its place noted when it fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from stream.frame import Frame
from stream.report import StageMeter

R = TypeVar("R")


def call(name: str, function: Callable[[Frame], R], frame: Frame, meter: StageMeter) -> R:
    """Call a function with a frame.

    Args:
        name: of the stage, for the note.
        function: a stage, or a sink's `write`.
        frame: its argument.
        meter: gets the wall time and the thread's processor time.

    Raises:
        Exception: the function's own, with a note that says where.
    """
    begin_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
    try:
        result = function(frame)
    except Exception as error:
        error.add_note(f"in '{name}', frame {frame.seq}, {frame.pts_ns / 1e9:.3f} s")
        raise
    meter.cpu_ns += time.thread_time_ns() - cpu_ns
    meter.busy.add(time.monotonic_ns() - begin_ns)
    return result
