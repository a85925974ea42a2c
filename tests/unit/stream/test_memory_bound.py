"""Memory is bounded by design: however long an output is stuck, no more pictures wait than the
links hold, and each part has one in hand.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from stream.frame import MOST_PACKETS, AudioPacket, Frame
from stream.gate import Gate, GateSettings
from stream.link import Link
from stream.pipeline import (
    LEAKY_SINK_CAPACITY,
    LIVE_CAPACITY,
    LIVE_SINK_CAPACITY,
    LOSSLESS_CAPACITY,
    SINK_CAPACITY,
    Pipeline,
)
from stream.sinks.null import NullSink
from stream.worker import Worker

COUNT = 200
STAGES = ("detect", "swap", "blend")


class StuckSink(NullSink):
    """Takes one frame, and no other before it is let go."""

    def __init__(self, *, leaky: bool) -> None:
        self.leaky = leaky
        self.taken, self.free = threading.Event(), threading.Event()
        self.most_sound = 0

    def write(self, frame: Frame) -> None:
        self.most_sound = max(self.most_sound, len(frame.audio))
        self.taken.set()
        self.free.wait(60)


class Alive:
    """Counts the pictures that somebody still holds."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def frames(self, count: int) -> Iterator[Frame]:
        for seq in range(count):
            image = np.zeros((2, 2, 3), np.uint8)
            self.now += 1
            self.most = max(self.most, self.now)
            weakref.finalize(image, self._gone)
            frame = Frame(image, seq * 40_000_000, seq, 0)
            del image
            yield replace(frame, audio=(AudioPacket(b"x", seq, seq, 1),))
            del frame

    def _gone(self) -> None:
        self.now -= 1


def test_pictures_of_a_live_run_with_stuck_outputs_are_bounded() -> None:
    file, view, alive = StuckSink(leaky=False), StuckSink(leaky=True), Alive()

    def source() -> Iterator[Frame]:
        yield from alive.frames(COUNT)
        file.free.set()
        view.free.set()

    stages = {name: lambda frame: frame for name in STAGES}
    report = Pipeline(source(), stages, {"file": file, "view": view}, live=True).run()
    assert report.dropped > 0
    in_hand = 2 + 2 * len(STAGES) + 2  # A frame handed over and the next, and one a sink.
    waiting = LIVE_CAPACITY + LIVE_SINK_CAPACITY + LEAKY_SINK_CAPACITY
    assert alive.most <= in_hand + waiting < COUNT


class Together:
    """Takes frames together; changes nothing."""

    def __init__(self, frames_at_once: int) -> None:
        self.frames_at_once = frames_at_once

    def __call__(self, frame: Frame) -> Frame:
        return frame

    def many(self, frames: Sequence[Frame]) -> list[Frame]:
        return list(frames)


@pytest.mark.parametrize("at_once", [1, 8])
def test_pictures_of_a_lossless_run_with_a_stuck_output_are_bounded(at_once: int) -> None:
    file, alive = StuckSink(leaky=False), Alive()
    in_hand = 2 + len(STAGES) + 1 + 1  # The gate has one, and the sink.
    bound = in_hand + (len(STAGES) + 1) * LOSSLESS_CAPACITY + SINK_CAPACITY

    def source() -> Iterator[Frame]:
        for frame in alive.frames(COUNT):
            if frame.seq == bound - 2:
                file.free.set()  # Not before all room is taken.
            yield frame
            del frame

    stages = dict.fromkeys(STAGES, lambda frame: frame) | {"swap": Together(at_once)}
    gate = Gate(GateSettings(), live=False, size=(2, 2))
    Pipeline(source(), stages, {"file": file}, live=False, gate=gate).run()
    assert alive.most <= bound + 2 * at_once - 2 < COUNT


@pytest.mark.parametrize("leaky", [False, True])
def test_sound_of_a_sink_that_takes_nothing_is_bounded(leaky: bool) -> None:
    stuck = StuckSink(leaky=leaky)
    count = MOST_PACKETS + 99

    def source() -> Iterator[Frame]:
        for frame in Alive().frames(count):
            yield frame
            stuck.taken.wait(10)
        stuck.free.set()

    Pipeline(source(), {}, {"stuck": stuck}, live=True).run()
    assert stuck.most_sound == MOST_PACKETS


def test_sound_of_a_stage_that_fails_for_hours_is_bounded() -> None:
    def stage(frame: Frame) -> Frame:
        if frame.seq < 9:
            raise ValueError("cannot")
        return frame

    link: Link[Frame] = Link(10)
    for frame in Alive().frames(10):
        link.put(replace(frame, audio=frame.audio * (MOST_PACKETS // 8)))
    link.end()
    heard: list[int] = []

    def put(frame: Frame) -> bool:
        heard.extend(packet.pts for packet in frame.audio)
        return True

    Worker("stage", stage, link, put, lambda: None, tolerant=True).run()
    assert len(heard) == MOST_PACKETS
    assert (heard[0], heard[-1]) == (2, 9)
