from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FrameType
from typing import Any, Self, TypeAlias

import numpy as np
import pytest

from engine.face import Face, Swap
from stream.frame import AudioPacket, Frame
from stream.pipeline import Pipeline

TraceFunction: TypeAlias = Callable[[FrameType, str, Any], Any]

pytestmark = pytest.mark.usefixtures("switch_interval")


def frames(count: int, audio: bool = False) -> Iterator[Frame]:
    for seq in range(count):
        yield Frame(
            image=np.full((4, 4, 3), seq % 256, np.uint8),
            pts_ns=seq * 40_000_000,
            seq=seq,
            captured_ns=0,
            audio=(AudioPacket(bytes([seq % 256]), seq, seq, 1),) if audio else (),
        )


class ListSink:
    def __init__(
        self, leaky: bool = False, on_write: Callable[[Frame], None] | None = None
    ) -> None:
        self.leaky = leaky
        self.seen: list[Frame] = []
        self.closed = False
        self._on_write = on_write

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def write(self, frame: Frame) -> None:
        if self._on_write:
            self._on_write(frame)
        self.seen.append(frame)

    @property
    def order(self) -> list[int]:
        return [frame.seq for frame in self.seen]


def test_lossless_loses_nothing_and_keeps_order() -> None:
    sink, second = ListSink(), ListSink()
    pipeline = Pipeline(
        frames(200),
        {"one": lambda frame: frame, "two": lambda frame: replace(frame, pts_ns=frame.pts_ns + 1)},
        {"a": sink, "b": second},
        live=False,
    )
    report = pipeline.run()
    assert sink.order == second.order == list(range(200))
    assert [frame.pts_ns for frame in sink.seen] == [n * 40_000_000 + 1 for n in range(200)]
    assert (report.frames_in, report.frames_out, report.dropped) == (200, 200, 0)
    assert sink.closed
    assert second.closed


def test_stages_work_at_the_same_time() -> None:
    # Each stage waits for the other to have begun another frame: serial stages would hang.
    meet = threading.Barrier(2, timeout=5)

    def stage(frame: Frame) -> Frame:
        if 0 < frame.seq < 9:
            meet.wait()
        return frame

    def later_stage(frame: Frame) -> Frame:
        if frame.seq < 8:
            meet.wait()
        return frame

    sink = ListSink()
    Pipeline(frames(10), {"one": stage, "two": later_stage}, {"out": sink}, live=False).run()
    assert sink.order == list(range(10))


def test_live_drops_at_the_first_link_keeps_order_and_the_newest() -> None:
    captured = threading.Event()

    def source() -> Iterator[Frame]:
        yield from frames(50, audio=True)
        captured.set()

    def slow(frame: Frame) -> Frame:
        captured.wait(5)
        return frame

    sink = ListSink()
    report = Pipeline(source(), {"slow": slow}, {"out": sink}, live=True).run()
    assert sink.order == sorted(sink.order)
    assert sink.order[-1] == 49
    assert report.dropped == 50 - len(sink.order) > 0
    assert report.links["capture -> slow"].dropped == report.dropped
    # What was said during dropped pictures is still heard.
    assert [packet.pts for frame in sink.seen for packet in frame.audio] == list(range(50))


def test_slow_leaky_sink_does_not_hold_up_a_lossless_one() -> None:
    all_written = threading.Event()
    reliable = ListSink(on_write=lambda f: all_written.set() if f.seq == 99 else None)
    worthless_late = ListSink(leaky=True, on_write=lambda _: all_written.wait(5) and None)
    Pipeline(frames(100), {}, {"file": reliable, "view": worthless_late}, live=False).run()
    assert reliable.order == list(range(100))
    assert len(worthless_late.seen) < 100


def test_stage_that_drops_a_frame_hands_its_audio_on() -> None:
    sink = ListSink()
    report = Pipeline(
        frames(10, audio=True),
        {"thin": lambda frame: frame if frame.seq % 3 == 2 or frame.seq == 9 else None},
        {"out": sink},
        live=False,
    ).run()
    assert sink.order == [2, 5, 8, 9]
    assert [packet.pts for frame in sink.seen for packet in frame.audio] == list(range(10))
    assert report.dropped == 6


def test_failing_stage_says_where_and_what_came_before_is_written() -> None:
    def fail(frame: Frame) -> Frame:
        if frame.seq == 5:
            raise ValueError("broken")
        return frame

    sink = ListSink()
    pipeline = Pipeline(
        frames(10_000),
        {"before": lambda frame: frame, "swap": fail, "after": lambda frame: frame},
        {"out": sink},
        live=False,
    )
    with pytest.raises(ValueError, match="broken") as caught:
        pipeline.run()
    assert caught.value.__notes__ == ["in 'swap', frame 5, 0.200 s"]
    assert sink.order == [0, 1, 2, 3, 4]
    assert sink.closed


def test_damaged_source_fails_after_its_good_frames_are_written() -> None:
    def source() -> Iterator[Frame]:
        yield from frames(20)
        raise OSError("damaged")

    sink = ListSink()
    with pytest.raises(OSError, match="damaged") as caught:
        Pipeline(source(), {"one": lambda frame: frame}, {"out": sink}, live=False).run()
    assert caught.value.__notes__ == ["in 'capture', after 20 frames"]
    assert sink.order == list(range(20))
    assert sink.closed


def test_failing_sink_does_not_cost_the_other_its_frames() -> None:
    def disk_full(frame: Frame) -> None:
        if frame.seq == 3:
            raise OSError("disk full")

    broken, healthy = ListSink(on_write=disk_full), ListSink()
    pipeline = Pipeline(frames(300), {}, {"bad": broken, "good": healthy}, live=False)
    with pytest.raises(OSError, match="disk full") as caught:
        pipeline.run()
    assert caught.value.__notes__ == ["in 'bad', frame 3, 0.120 s"]
    assert healthy.order == list(range(pipeline.report().frames_in))
    assert broken.closed
    assert healthy.closed


def test_sink_that_cannot_be_opened_closes_those_before_it() -> None:
    class Unopenable(ListSink):
        def __enter__(self) -> Self:
            raise PermissionError("read only")

    first = ListSink()
    with pytest.raises(PermissionError):
        Pipeline(frames(3), {}, {"a": first, "b": Unopenable()}, live=False).run()
    assert first.closed
    assert first.seen == []


def test_failure_while_closing_does_not_hide_what_failed_first() -> None:
    class Unfinishable(ListSink):
        def __exit__(self, *details: object) -> None:
            super().__exit__(None, None, None)
            raise OSError("disk full")

    def source() -> Iterator[Frame]:
        yield from frames(2)
        raise ValueError("source lost")

    first, last = Unfinishable(), Unfinishable()
    with pytest.raises(ValueError, match="source lost") as caught:
        Pipeline(source(), {}, {"a": first, "b": last}, live=False).run()
    assert caught.value.__notes__[1:] == ["later also: OSError: disk full"] * 2
    with pytest.raises(OSError, match="disk full"):
        Pipeline(frames(2), {}, {"a": Unfinishable()}, live=False).run()
    assert first.closed
    assert last.closed


class Unreadable:
    def __iter__(self) -> Iterator[Frame]:
        raise OSError("device gone")


def test_source_that_cannot_be_iterated_ends_the_run() -> None:
    sink = ListSink()
    pipeline = Pipeline(Unreadable(), {"one": lambda frame: frame}, {"out": sink}, live=False)
    rescue = threading.Timer(5, pipeline.abort)
    rescue.start()
    with pytest.raises(OSError, match="device gone"):
        pipeline.run()
    assert rescue.is_alive(), "it hung until it was aborted"
    rescue.cancel()
    assert sink.closed


def test_thread_that_cannot_be_started_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def no_more(thread: threading.Thread) -> None:
        if thread.name == "facestream-capture":
            raise RuntimeError("can't start new thread")
        start(thread)

    sink = ListSink()
    pipeline = Pipeline(frames(3), {"one": lambda frame: frame}, {"out": sink}, live=False)
    rescue = threading.Timer(5, pipeline.abort)
    rescue.start()
    monkeypatch.setattr(threading.Thread, "start", no_more)
    with pytest.raises(RuntimeError, match="can't start"):
        pipeline.run()
    assert rescue.is_alive(), "it hung until it was aborted"
    rescue.cancel()
    assert sink.closed


def test_second_signal_may_come_while_the_first_is_handled() -> None:
    # Signal handlers interrupt each other, on one thread and at any line.
    interrupted = 0

    def interrupt(code: FrameType, event: str, _: object) -> TraceFunction:
        nonlocal interrupted
        if event == "line" and code.f_code is not pipeline.abort.__code__:
            sys.settrace(None)
            pipeline.abort()
            interrupted += 1
            sys.settrace(interrupt)
        return interrupt

    def handle() -> None:
        sys.settrace(interrupt)
        pipeline.stop()
        sys.settrace(None)

    pipeline = Pipeline(frames(3), {}, {"out": ListSink()}, live=False)
    handler = threading.Thread(target=handle, daemon=True)
    handler.start()
    handler.join(5)
    assert not handler.is_alive(), "the second signal waits for the first"
    assert interrupted
    assert pipeline.run().frames_in == 0


def endless() -> Iterator[Frame]:
    seq = 0
    while True:
        yield from (replace(frame, seq=seq) for frame in frames(1))
        seq += 1


def test_stop_drains() -> None:
    sink = ListSink(on_write=lambda frame: pipeline.stop() if frame.seq == 10 else None)
    pipeline = Pipeline(endless(), {"one": lambda frame: frame}, {"out": sink}, live=False)
    report = pipeline.run()
    assert sink.order == list(range(report.frames_in))
    assert report.frames_in > 10
    assert sink.closed


def test_source_that_fails_after_stop_is_no_failure() -> None:
    # As a server does that fell silent: its timeout comes when nobody waits any more.
    def source() -> Iterator[Frame]:
        yield from frames(3)
        pipeline.stop()
        raise OSError("source lost")

    sink = ListSink()
    pipeline = Pipeline(source(), {}, {"out": sink}, live=False)
    pipeline.run()
    assert sink.order == [0, 1, 2]


def test_abort_ends_at_once_but_still_closes() -> None:
    sink = ListSink(on_write=lambda frame: pipeline.abort() if frame.seq == 10 else None)
    pipeline = Pipeline(endless(), {"one": lambda frame: frame}, {"out": sink}, live=False)
    pipeline.run()
    assert sink.order == list(range(11))
    assert sink.closed


def test_report_counts_faces_and_names_the_bottleneck() -> None:
    landmarks = np.zeros((478, 2), np.float32)
    swap = Swap(np.zeros((8, 8, 3), np.uint8), None, np.eye(2, 3))

    def detect(frame: Frame) -> Frame:
        faces = (Face(landmarks, 0), Face(landmarks, 1))
        return replace(frame, faces=faces[: frame.seq])

    def swap_first(frame: Frame) -> Frame:
        threading.Event().wait(0.01)
        faces = tuple(replace(f, swap=swap) if f.track == 0 else f for f in frame.faces)
        return replace(frame, faces=faces)

    pipeline = Pipeline(
        frames(3), {"detect": detect, "swap": swap_first}, {"out": ListSink()}, live=False
    )
    report = pipeline.run()
    assert (report.faces_found, report.faces_swapped, report.faces_missed) == (3, 2, 1)
    assert report.frames_without_face == 1
    assert report.bottleneck == "swap"
    assert list(report.stages) == ["capture", "detect", "swap", "out"]
    assert report.stages["swap"].busy_ms_p50 >= 10
    assert report.to_json()["links"]["detect -> swap"]["passed"] == 3


def test_watch_sees_the_run_grow() -> None:
    seen: list[int] = []
    go_on = threading.Event()

    def source() -> Iterator[Frame]:
        yield from frames(1)
        go_on.wait(5)

    def watch(report: object) -> None:
        seen.append(report.frames_in)  # type: ignore[attr-defined]
        go_on.set()

    Pipeline(source(), {}, {"out": ListSink()}, live=False).run(watch, watch_every_s=0.01)
    assert seen[-1] <= 1


def test_names_have_to_differ_and_a_sink_is_needed() -> None:
    with pytest.raises(ValueError, match="different names"):
        Pipeline(frames(1), {"x": lambda frame: frame}, {"x": ListSink()}, live=False)
    with pytest.raises(ValueError, match="at least one sink"):
        Pipeline(frames(1), {}, {}, live=False)
