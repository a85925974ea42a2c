"""Stages that take several frames at once, with real threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stream.frame import Frame
from stream.pipeline import Pipeline
from tests.unit.stream.test_pipeline import ListSink, frames

pytestmark = pytest.mark.usefixtures("switch_interval")


class Together:
    """Takes frames together where it may; says which ones came together."""

    def __init__(self, frames_at_once: int, fails_at: int = -1) -> None:
        self.frames_at_once = frames_at_once
        self.seen: list[list[int]] = []
        self._fails_at = fails_at

    def __call__(self, frame: Frame) -> Frame:
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[Frame]:
        self.seen.append([frame.seq for frame in frames])
        if self._fails_at in self.seen[-1]:
            raise ValueError("cannot")
        return [replace(frame, pts_ns=frame.pts_ns + 1) for frame in frames]


@pytest.mark.parametrize("at_once", [2, 3, 6])
def test_lossless_frames_go_together_however_fast_they_come(at_once: int) -> None:
    sink, stage = ListSink(), Together(at_once)
    stages = {"before": lambda frame: frame, "together": stage}
    report = Pipeline(frames(20, audio=True), stages, {"out": sink}, live=False).run()
    assert stage.seen == [
        list(range(20))[first : first + at_once] for first in range(0, 20, at_once)
    ]
    assert [frame.pts_ns for frame in sink.seen] == [n * 40_000_000 + 1 for n in range(20)]
    assert [packet.pts for frame in sink.seen for packet in frame.audio] == list(range(20))
    assert report.stages["together"].frames == 20


def test_live_frames_wait_for_no_other() -> None:
    sink, stage = ListSink(), Together(4)
    Pipeline(frames(9), {"together": stage}, {"out": sink}, live=True).run()
    assert [seq for (seq,) in stage.seen] == sink.order


def test_failure_among_several_frames_says_which() -> None:
    sink = ListSink()
    with pytest.raises(ValueError, match="cannot") as caught:
        Pipeline(frames(9), {"swap": Together(3, fails_at=4)}, {"out": sink}, live=False).run()
    assert caught.value.__notes__ == ["in 'swap', frames 3 to 5, 0.120 s"]
    assert sink.order == [0, 1, 2]
