"""A file at the speed of a camera."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from stream.frame import Frame
from stream.sources.interruption import Interruption
from stream.timebase import NS_PER_S

_POLL_S = 0.05


def paced(
    frames: Iterable[Frame], interruption: Interruption, *, patient: bool = False
) -> Iterator[Frame]:
    """Holds every frame back until its time has come.

    Deadlines count from the first frame, so that waiting too long once does not shift all
    later frames. A frame that is late already is passed on at once.

    Args:
        frames: in order; read one frame ahead of its deadline.
        interruption: ends waiting and all.
        patient: deadlines begin anew with a frame that is late, for what comes in portions
            and not on time: a pause instead of a stutter with every portion.

    Yields:
        The same frames with `captured_ns` set to the moment of delivery.
    """
    began_ns: int | None = None
    for frame in frames:
        now_ns = time.monotonic_ns()
        if began_ns is None or (patient and began_ns + frame.pts_ns < now_ns):
            began_ns = now_ns - frame.pts_ns
        while (wait_ns := began_ns + frame.pts_ns - time.monotonic_ns()) > 0:
            if interruption.stopped:
                return
            time.sleep(min(wait_ns / NS_PER_S, _POLL_S))
        yield replace(frame, captured_ns=time.monotonic_ns())
