"""The per-frame engine as pipeline stages.

What a stage works with can be exchanged by other threads while frames flow: it takes effect with
the next frame.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from engine.blend import Blender
from engine.swap import Swapper
from engine.track import FaceTracker
from stream.frame import Frame
from stream.pipeline import Stage


class Detect:
    """Find and follow faces; owns its tracker."""

    def __init__(self, tracker: FaceTracker) -> None:
        """Take over a tracker, which `close` closes."""
        self._tracker = tracker
        self._next: FaceTracker | None = None
        self._exchanging = threading.Lock()

    def __call__(self, frame: Frame) -> Frame:
        """The frame with its faces."""
        if self._next is not None:
            self._take_next()
        return replace(frame, faces=self._tracker.update(frame.image, frame.pts_ns))

    def exchange(self, tracker: FaceTracker) -> None:
        """Go on with another tracker, which then belongs to this stage."""
        with self._exchanging:
            unused, self._next = self._next, tracker
        if unused is not None:
            unused.close()

    def close(self) -> None:
        """Close the tracker; no thread may be using it any more."""
        self._take_next()
        self._tracker.close()

    def _take_next(self) -> None:
        with self._exchanging:
            tracker, self._next = self._next, None
        if tracker is not None:
            self._tracker.close()
            self._tracker = tracker


class Swap:
    """Run the model on all faces of a frame.

    Attributes:
        swapper: may be replaced by any thread; a frame reads it once.
    """

    def __init__(self, swapper: Swapper) -> None:
        self.swapper = swapper

    def __call__(self, frame: Frame) -> Frame:
        """The frame with its faces' swaps."""
        if not frame.faces:
            return frame
        return replace(frame, faces=self.swapper(frame.image, frame.faces))


def blend(blender: Blender, *, keep_original: bool) -> Stage:
    """Put the swapped faces into the picture.

    Args:
        blender: changes the picture in place; `Blender.update` changes its settings.
        keep_original: copy the picture first, for sinks that show it.
    """

    def stage(frame: Frame) -> Frame:
        if keep_original:
            frame = replace(frame, original=frame.image.copy())
        blender(frame.image, frame.faces)
        return frame

    return stage
