"""How a decoded frame is to be turned, read without what crashes."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer, Type
from numpy.typing import NDArray

_KINDS = 64
"""More than FFmpeg has kinds of side data."""
_MATRIX = cast("int", Type.DISPLAYMATRIX.value)
_HAS_MATRIX = (f"mode=select:type={_MATRIX}",)
_NOTHING_ELSE = tuple(f"mode=delete:type={n}" for n in range(_KINDS) if n != _MATRIX)


def display_matrix(frame: av.VideoFrame) -> NDArray[np.int32] | None:
    """The display matrix that the decoder has put beside a frame.

    PyAV frees the metadata of all side data that it wraps, which belongs to FFmpeg: after a look
    at `frame.side_data` a PNG with a color profile crashes the process. Side data of a kind that
    it has no name for, such as EXIF, is a ValueError. So FFmpeg takes all other side data off a
    reference to the frame before PyAV sees any; the picture itself is not copied. The property
    would besides keep the frame and its side data alive for each other, megabytes that only the
    garbage collector finds.

    Takes 5 microseconds, 20 if there is a matrix.

    Args:
        frame: as decoded; not changed. Any thread.

    Returns:
        (2, 2) int32, its upper left part; None if the frame has none.
    """
    turned = _filters.of(frame, _HAS_MATRIX)
    alone = None if turned is None else _filters.of(turned, _NOTHING_ELSE)
    if alone is None:
        return None
    for data in SideDataContainer(alone):  # type: ignore[call-arg]  # its stub has no constructor
        return np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]
    return None


class _Filters(threading.local):
    """One graph for each task, made anew when frames change; each thread has its own."""

    def __init__(self) -> None:
        self._graphs: dict[tuple[str, ...], tuple[tuple[int, int, str], Graph]] = {}

    def of(self, frame: av.VideoFrame, tasks: tuple[str, ...]) -> av.VideoFrame | None:
        """What filters of side data let pass: a reference, or None."""
        kind = (frame.width, frame.height, frame.format.name)
        known = self._graphs.get(tasks)
        if known is None or known[0] != kind:
            known = self._graphs[tasks] = (kind, _graph(frame, tasks))
        graph = known[1]
        graph.push(frame)
        try:
            passed = graph.pull()
        except BlockingIOError:
            return None
        return passed if isinstance(passed, av.VideoFrame) else None


def _graph(frame: av.VideoFrame, tasks: tuple[str, ...]) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
    )
    filters = [graph.add("sidedata", task) for task in tasks]
    graph.link_nodes(source, *filters, graph.add("buffersink")).configure()
    return graph


_filters = _Filters()
