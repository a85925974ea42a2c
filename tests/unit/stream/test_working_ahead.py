"""How far live stages work ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from stream.frame import Frame
from stream.pipeline import Pipeline
from tests.unit.stream.test_pipeline import ListSink, frames

pytestmark = pytest.mark.usefixtures("switch_interval")


def test_live_stages_work_ahead_by_one_frame_each_and_no_more() -> None:
    # What waits before a slow stage grows old: only the first link may let a frame wait.
    begun = done = 0
    too_many, finished = threading.Event(), threading.Event()

    def source() -> Iterator[Frame]:
        for frame in frames(1_000_000):
            if finished.is_set():
                return
            yield frame

    def detect(frame: Frame) -> Frame:
        nonlocal begun
        begun += 1
        if begun - done > 3:
            too_many.set()
        return frame

    def blend(frame: Frame) -> Frame:
        nonlocal done
        if done < 5:
            too_many.wait(0.02)  # Enough for the others to do all that they can.
        done += 1
        if done == 5:
            finished.set()
        return frame

    stages = {"detect": detect, "swap": lambda frame: frame, "blend": blend}
    Pipeline(source(), stages, {"out": ListSink()}, live=True).run()
    assert not too_many.is_set()
