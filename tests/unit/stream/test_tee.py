"""Sinks that come, go and fail while a stream runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from stream.frame import Frame
from stream.pipeline import Pipeline
from tests.unit.stream.test_pipeline import ListSink, frames

pytestmark = pytest.mark.usefixtures("switch_interval")


def test_sinks_come_and_go_while_frames_flow() -> None:
    first, guest, late = ListSink(), ListSink(), ListSink()
    steps: dict[int, Callable[[], None]] = {
        10: lambda: pipeline.add_sink("guest", guest),
        20: lambda: pipeline.remove_sink("guest"),
        30: lambda: pipeline.add_sink("late", late),
    }

    def source() -> Iterator[Frame]:
        for frame in frames(40):
            steps.get(frame.seq, lambda: None)()
            yield frame

    pipeline = Pipeline(source(), {}, {"first": first}, live=False)
    report = pipeline.run()
    assert first.order == list(range(40))
    assert guest.order == list(range(10, 20))
    assert guest.closed
    assert late.order == list(range(30, 40))
    assert late.closed
    assert {name: health.state for name, health in report.sinks.items()} == {
        "first": "ended",
        "late": "ended",
    }
    with pytest.raises(RuntimeError, match="no stream to join"):
        pipeline.add_sink("too late", ListSink())
    with pytest.raises(KeyError):
        pipeline.remove_sink("guest")


def test_sink_that_joins_with_a_taken_name_is_closed_again() -> None:
    guest = ListSink()

    def source() -> Iterator[Frame]:
        yield from frames(1)
        with pytest.raises(ValueError, match="name is taken"):
            pipeline.add_sink("out", guest)
        with pytest.raises(ValueError, match="a stage has this name"):
            pipeline.add_sink("capture", guest)

    pipeline = Pipeline(source(), {}, {"out": ListSink()}, live=False)
    pipeline.run()
    assert guest.closed
    assert guest.seen == []


def test_failure_of_a_sink_is_known_while_the_others_go_on() -> None:
    def disk_full(frame: Frame) -> None:
        raise OSError("disk full")

    def source() -> Iterator[Frame]:
        yield from frames(1)
        while pipeline.report().sinks["bad"].state != "failed":
            yield from frames(1)

    healthy = ListSink()
    sinks = {"bad": ListSink(on_write=disk_full), "good": healthy}
    pipeline = Pipeline(source(), {}, sinks, live=False)
    with pytest.raises(OSError, match="disk full"):
        pipeline.run()
    assert len(healthy.seen) == pipeline.report().frames_in
    assert "disk full" in pipeline.report().sinks["bad"].detail


def test_source_is_asked_to_stop() -> None:
    class Waiting:
        def __init__(self) -> None:
            self.asked = threading.Event()

        def __iter__(self) -> Iterator[Frame]:
            yield from frames(1)
            assert self.asked.wait(10)

        def stop(self) -> None:
            self.asked.set()

    source = Waiting()
    sink = ListSink(on_write=lambda _: pipeline.stop())
    pipeline = Pipeline(source, {}, {"out": sink}, live=False)
    pipeline.run()
    assert source.asked.is_set()
