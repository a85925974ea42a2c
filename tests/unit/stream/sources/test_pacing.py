from __future__ import annotations

import time

import numpy as np
import pytest

from stream.frame import Frame
from stream.sources.pacing import paced

MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 5_000 * MS

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def test_deadlines_count_from_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic_ns", lambda: clock.now_ns)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    image = np.zeros((2, 2, 3), np.uint8)
    frames = [Frame(image, pts_ns, seq, 0) for seq, pts_ns in enumerate((0, 40 * MS, 90 * MS))]
    began_ns = clock.now_ns
    arrived = []
    for frame in paced(frames):
        assert frame.captured_ns == clock.now_ns
        arrived.append((frame.captured_ns - began_ns) // MS)
        clock.now_ns += 60 * MS if frame.seq == 0 else 0  # the reader is busy
    assert arrived == [0, 60, 90], "one late frame does not shift the later ones"
