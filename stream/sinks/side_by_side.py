"""Original and result in one picture."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from engine.face import Image
from stream.frame import Frame, SourceInfo
from stream.sinks.video import VideoFile

_DIVIDER_PX = 4
_DIVIDER_BGR = (255, 255, 255)


class SideBySide:
    """Passes every frame on as original | result."""

    def __init__(self, sink: VideoFile) -> None:
        """Wraps a sink that was made for `widened(info)`."""
        self._sink = sink
        self.leaky = sink.leaky

    def __enter__(self) -> Self:
        self._sink.__enter__()
        return self

    def write(self, frame: Frame) -> None:
        """Joins the pictures and writes them; the frame is not changed."""
        self._sink.write(replace(frame, image=beside(frame), original=None))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sink.__exit__(kind, error, trace)


def beside(frame: Frame) -> Image:
    """Joins the picture before and after blending with a thin white line between them.

    Returns:
        (H, 2 W + 4, 3) uint8 BGR, new. Without an original the result is shown twice.
    """
    original = frame.image if frame.original is None else frame.original
    height, width = frame.image.shape[:2]
    joined = np.empty((height, 2 * width + _DIVIDER_PX, 3), np.uint8)
    joined[:, :width] = original
    joined[:, width : width + _DIVIDER_PX] = _DIVIDER_BGR
    joined[:, width + _DIVIDER_PX :] = frame.image
    return joined


def widened(info: SourceInfo) -> SourceInfo:
    """The source's description with the size of `beside`'s pictures."""
    return replace(info, width=2 * info.width + _DIVIDER_PX)
