"""Stages that fail, hang and recover behind a gate, with real threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.face_points import UNIT_LANDMARKS
from engine.face import Face, Swap
from stream import pipeline as pipeline_module
from stream.frame import AudioPacket, Frame
from stream.gate import Gate, GateSettings
from stream.link import Link
from stream.pipeline import Pipeline
from stream.worker import Worker
from tests.unit.stream.test_pipeline import ListSink, frames

pytestmark = pytest.mark.usefixtures("switch_interval")

POINTS = UNIT_LANDMARKS.astype(np.float32)
SWAP = Swap(np.zeros((8, 8, 3), np.uint8), None, np.eye(2, 3), 30.0)
PROVEN = Face(POINTS, 0, swap=SWAP, shown=1.0)
COUNT = 20


def proven(count: int) -> Iterator[Frame]:
    """Frames one at a time: the next one comes when the last was written."""
    for frame in frames(count, audio=True):
        yield replace(frame, faces=(PROVEN,))


class Paced:
    """Frames that come when a sink has seen the one before, or something in its place."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.may_come = threading.Semaphore(1)

    def __iter__(self) -> Iterator[Frame]:
        for frame in proven(self.count):
            assert self.may_come.acquire(timeout=20)
            yield frame


class Flaky:
    """A stage that fails in the frames that it is told to, until it is restarted."""

    def __init__(self, fails_at: Callable[[int], bool], cured_by_restart: bool = False) -> None:
        self.fails_at = fails_at
        self.cured_by_restart = cured_by_restart
        self.restarts = 0

    def __call__(self, frame: Frame) -> Frame:
        cured = self.cured_by_restart and self.restarts
        if self.fails_at(frame.seq) and not cured:
            raise ValueError("cannot")
        return frame

    def restart(self) -> None:
        self.restarts += 1


def run(stage: Callable[[Frame], Frame]) -> tuple[Pipeline, ListSink]:
    source = Paced(COUNT)

    def next_please(frame: Frame) -> None:
        source.may_come.release()

    sink = ListSink(on_write=next_please)
    settings = GateSettings("hold", patience_s=0.02, hold_s=100, held_rate_hz=50)
    gate = Gate(settings, live=True, size=(640, 360))
    pipeline = Pipeline(source, {"stage": stage}, {"out": sink}, live=True, gate=gate)
    pipeline.run(watch_every_s=0.02)
    return pipeline, sink


def test_failed_frames_are_replaced_and_the_stream_goes_on() -> None:
    pipeline, sink = run(Flaky(lambda seq: seq % 7 == 3))
    report = pipeline.report()
    assert report.failed == 3
    fresh = [frame.seq for frame in sink.seen if not frame.held]
    assert fresh == [seq for seq in range(COUNT) if seq % 7 != 3]
    assert report.held == sum(frame.held for frame in sink.seen) >= 3


def test_sound_of_failed_frames_is_not_lost() -> None:
    _, sink = run(Flaky(lambda seq: seq in {5, 6}))
    heard = [packet.pts for frame in sink.seen for packet in frame.audio]
    assert heard == list(range(COUNT))
    assert isinstance(sink.seen[0].audio[0], AudioPacket)


def test_stage_that_keeps_failing_is_restarted() -> None:
    stage = Flaky(lambda seq: seq >= 10, cured_by_restart=True)
    pipeline, sink = run(stage)
    assert stage.restarts == 1
    assert pipeline.report().failed == 3
    assert sink.seen[-1].seq == COUNT - 1


def test_stage_that_fails_to_the_end_is_the_run_s_failure() -> None:
    with pytest.raises(ValueError, match="cannot") as caught:
        run(Flaky(lambda seq: seq >= COUNT - 4))
    assert f"in 'stage', frame {COUNT - 1}" in caught.value.__notes__[0]


def test_without_a_gate_a_failure_ends_the_run() -> None:
    sink = ListSink()
    with pytest.raises(ValueError, match="cannot"):
        Pipeline(proven(9), {"stage": Flaky(lambda seq: seq == 4)}, {"out": sink}, live=False).run()


def test_stage_that_hangs_is_given_up_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than a busy machine keeps a healthy thread waiting.
    monkeypatch.setattr(pipeline_module, "HANG_S", 0.2)
    release = threading.Event()

    def stage(frame: Frame) -> Frame:
        if frame.seq == 10:
            assert release.wait(20)
        return frame

    pipeline, sink = run(stage)
    release.set()
    assert pipeline.report().failed == 1
    fresh = [frame.seq for frame in sink.seen if not frame.held]
    assert fresh[:10] == list(range(10))
    assert fresh[10] > 10, "frames that came meanwhile were late"
    assert fresh[-1] == COUNT - 1
    assert [packet.pts for frame in sink.seen for packet in frame.audio] == list(range(COUNT))


@pytest.mark.parametrize("returns", [True, False], ids=["returns", "fails"])
def test_what_a_thread_that_was_given_up_does_later_counts_no_more(returns: bool) -> None:
    entered, release = threading.Event(), threading.Event()

    def stage(frame: Frame) -> None:
        entered.set()
        assert release.wait(20)
        if not returns:
            raise ValueError("late")

    link: Link[Frame] = Link(1)
    worker = Worker("stage", stage, link, lambda _: True, lambda: None, tolerant=True)
    thread = threading.Thread(target=worker.run)
    thread.start()
    link.put(next(frames(1)))
    assert entered.wait(20)
    assert worker.give_up_if_hung(0.0)
    release.set()
    thread.join(20)
    assert (worker.failed, worker.left_out) == (1, 0)
    assert isinstance(worker.failure, TimeoutError)
