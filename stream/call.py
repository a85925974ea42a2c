"""The work of a stage or sink: timed, and with its place noted when it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stream.frame import Frame
from stream.report import StageMeter


@contextmanager
def timed(name: str, frames: Sequence[Frame], meter: StageMeter) -> Iterator[None]:
    """Time what the block does with frames.

    Args:
        name: of the stage, for the note.
        frames: at least one; each counts for its share of the block's time.
        meter: gets the wall time and the thread's processor time.

    Raises:
        Exception: the block's own, with a note that says where.
    """
    begin_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
    try:
        yield
    except Exception as error:
        error.add_note(f"in '{name}', {_place(frames)}")
        raise
    meter.cpu_ns += time.thread_time_ns() - cpu_ns
    share_ns = (time.monotonic_ns() - begin_ns) // len(frames)
    for _ in frames:
        meter.busy.add(share_ns)


def _place(frames: Sequence[Frame]) -> str:
    first, last = frames[0], frames[-1]
    number = f"frame {first.seq}" if first is last else f"frames {first.seq} to {last.seq}"
    return f"{number}, {first.pts_ns / 1e9:.3f} s"
