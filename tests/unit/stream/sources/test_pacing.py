from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from stream.frame import Frame
from stream.sources.interruption import Interruption
from stream.sources.pacing import paced

MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 5_000 * MS

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic_ns", lambda: made.now_ns)
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


def frames_at(*times_ms: int) -> list[Frame]:
    image = np.zeros((2, 2, 3), np.uint8)
    return [Frame(image, time_ms * MS, seq, 0) for seq, time_ms in enumerate(times_ms)]


def test_deadlines_count_from_the_first_frame(clock: Clock) -> None:
    began_ns = clock.now_ns
    arrived = []
    for frame in paced(frames_at(0, 40, 90), Interruption()):
        assert frame.captured_ns == clock.now_ns
        arrived.append((frame.captured_ns - began_ns) // MS)
        clock.now_ns += 60 * MS if frame.seq == 0 else 0  # the reader is busy
    assert arrived == [0, 60, 90], "one late frame does not shift the later ones"


def test_what_comes_in_portions_stutters_once_only(clock: Clock) -> None:
    began_ns = clock.now_ns
    arrived = []

    def in_portions() -> Iterator[Frame]:
        for frame in frames_at(0, 40, 80, 120):
            clock.now_ns += 100 * MS if frame.seq == 2 else 0  # the second portion is late
            yield frame

    for frame in paced(in_portions(), Interruption(), patient=True):
        arrived.append((frame.captured_ns - began_ns) // MS)  # noqa: PERF401
    assert arrived == [0, 40, 140, 180]


def test_waiting_ends_when_stopped(clock: Clock) -> None:
    interruption = Interruption()
    frames = paced(frames_at(0, 3_600_000), interruption)
    assert next(frames).seq == 0
    interruption.stop()
    assert next(frames, None) is None
    assert clock.now_ns < 5_000 * MS + 1_000 * MS
