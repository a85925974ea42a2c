from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from stream.frame import AudioFormat, AudioPacket, Frame, SourceInfo
from stream.sinks.from_zero import FromZero
from stream.timebase import NS_PER_S
from tests.unit.stream.test_pipeline import ListSink

SOUND = AudioFormat("aac", 8000, "mono", Fraction(1, 8000), b"")
INFO = SourceInfo("clip", 8, 8, origin_ns=NS_PER_S // 4, audio=SOUND)


def frame(pts_s: float, *sound: int) -> Frame:
    packets = tuple(AudioPacket(b"x", ticks, ticks - 1, 1000) for ticks in sound)
    return Frame(np.zeros((8, 8, 3), np.uint8), round(pts_s * NS_PER_S), 0, 0, audio=packets)


def test_a_recording_begins_at_zero_with_the_sound_that_belongs_to_it() -> None:
    file = ListSink()
    with FromZero(file, INFO) as sink:  # type: ignore[arg-type]
        # The first picture is shown at 10.25 s of the source's own clock.
        sink.write(frame(10, 80_999, 82_000, 83_000))
        sink.write(frame(10.5, 84_000))
    assert [written.pts_ns for written in file.seen] == [0, NS_PER_S // 2]
    assert [packet.pts for written in file.seen for packet in written.audio] == [0, 1000, 2000]
    assert file.seen[0].audio[1] == AudioPacket(b"x", 1000, 999, 1000)


def test_a_recording_without_sound() -> None:
    file = ListSink()
    with FromZero(file, replace(INFO, audio=None)) as sink:  # type: ignore[arg-type]
        sink.write(frame(3))
    assert (file.seen[0].pts_ns, file.seen[0].audio) == (0, ())
