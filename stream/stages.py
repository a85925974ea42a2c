"""The per-frame engine as pipeline stages."""

from __future__ import annotations

from dataclasses import replace

from engine.blend import Blender
from engine.swap import Swapper
from engine.track import FaceTracker
from stream.frame import Frame
from stream.pipeline import Stage


def detect(tracker: FaceTracker) -> Stage:
    """Find and follow faces."""

    def stage(frame: Frame) -> Frame:
        return replace(frame, faces=tracker.update(frame.image, frame.pts_ns))

    return stage


def swap(swapper: Swapper) -> Stage:
    """Run the model on all faces of a frame."""

    def stage(frame: Frame) -> Frame:
        if not frame.faces:
            return frame
        return replace(frame, faces=swapper(frame.image, frame.faces))

    return stage


def blend(blender: Blender, *, keep_original: bool) -> Stage:
    """Put the swapped faces into the picture.

    Args:
        blender: changes the picture in place.
        keep_original: copy the picture first, for sinks that show it.
    """

    def stage(frame: Frame) -> Frame:
        if keep_original:
            frame = replace(frame, original=frame.image.copy())
        blender(frame.image, frame.faces)
        return frame

    return stage
