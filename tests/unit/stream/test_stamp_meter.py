from __future__ import annotations

import numpy as np
import pytest

from stream import stamp
from stream.stamp_meter import StampMeter

MS = 1_000_000


def test_ages_are_those_of_the_pictures() -> None:
    meter = StampMeter()
    for number in range(100):
        image = np.zeros((180, 320, 3), np.uint8)
        stamp.paint(image, number * 33 * MS)
        meter.add(image, (number * 33 + 50 + number) * MS)
    report = meter.report()
    assert (report.read, report.unreadable) == (100, 0)
    assert report.age_ms.p50 == pytest.approx(50 + 49.5)
    assert report.age_ms.p95 == pytest.approx(50 + 94.05)


def test_pictures_without_a_stamp_are_counted_apart() -> None:
    meter = StampMeter()
    meter.add(np.zeros((180, 320, 3), np.uint8), 0)
    report = meter.report()
    assert (report.read, report.unreadable) == (0, 1)
    assert report.age_ms.p50 == 0
