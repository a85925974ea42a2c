"""A disk that takes a quarter of what is recorded: pictures are left out there, and only there."""

from __future__ import annotations

import subprocess
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from stream.frame import Frame, SourceInfo
from stream.health import Health
from stream.pipeline import LIVE_SINK_CAPACITY, Pipeline
from stream.recording import Recorder
from stream.sinks import SinkSettings, open_sink
from stream.timebase import NS_PER_S
from tests.contract import media
from tests.devices.guest.streaming import running, wait_until
from tests.live.broadcast import SIZE, BarCodes

DISK = "/dev/vda"
RATE_HZ = 10
INFO = SourceInfo("barcode:", *SIZE, rate=Fraction(RATE_HZ), live=True)
SETTINGS = SinkSettings(preset="ultrafast", crf=1)


class Watched:
    """Noisy bar codes; knows how many somebody still holds, and how late one was at most."""

    def __init__(self) -> None:
        self._source = BarCodes(noisy=True, rate_hz=RATE_HZ)
        self._alive = self.most_alive = 0
        self.late_s = 0.0

    def stop(self) -> None:
        self._source.stop()

    def __iter__(self) -> Iterator[Frame]:
        began_ns = 0
        for frame in self._source:
            began_ns = began_ns or frame.captured_ns
            late_ns = frame.captured_ns - began_ns - frame.pts_ns
            self.late_s = max(self.late_s, late_ns / NS_PER_S)
            self._alive += 1
            self.most_alive = max(self.most_alive, self._alive)
            weakref.finalize(frame.image, self._gone)
            yield frame
            del frame

    def _gone(self) -> None:
        self._alive -= 1


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """The slow disk; who writes to it waits until it has taken everything."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "ext2", "-o", "sync", DISK, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_slow_disk_loses_pictures_and_nobody_else_does(tmp_path: Path) -> None:
    quick, slow = tmp_path / "quick.mp4", tmp_path / "disk" / "slow.mp4"
    source = Watched()
    with mounted(slow.parent):
        sinks = {str(path): open_sink(str(path), INFO, SETTINGS) for path in (quick, slow)}
        pipeline = Pipeline(source, {}, sinks, live=True)
        with running(pipeline):
            wait_until(lambda: pipeline.report().sinks[str(slow)].dropped > 2 * RATE_HZ)
        report = pipeline.report()
    frames = report.frames_in
    with mounted(slow.parent):  # What is read now was on the disk.
        kept, times = media.video_numbers(slow), media.video_times(slow)

    assert media.video_numbers(quick) == list(range(frames))
    assert report.sinks[str(quick)] == Health("ended", sent=frames)
    dropped = report.sinks[str(slow)].dropped
    assert report.sinks[str(slow)] == Health("ended", sent=len(kept), dropped=dropped)
    assert len(kept) + dropped == frames
    assert kept == sorted(set(kept))
    assert times == [Fraction(number, RATE_HZ) for number in kept]
    assert kept[-LIVE_SINK_CAPACITY:] == list(range(frames))[-LIVE_SINK_CAPACITY:], "the newest"
    assert report.links[f"capture -> {slow}"].peak == LIVE_SINK_CAPACITY
    # Each output has one in hand, the capture two.
    waiting = sum(link.peak for link in report.links.values())
    assert source.most_alive <= waiting + len(sinks) + 2 < frames
    assert source.late_s < 1, "the capture waited for the disk"


def test_a_recording_that_a_slow_disk_finishes_holds_up_nobody(tmp_path: Path) -> None:
    quick, source = tmp_path / "quick.mp4", Watched()
    with mounted(tmp_path / "disk") as folder:
        recorder = Recorder(folder, SETTINGS)
        pipeline = Pipeline(source, {}, {"quick": open_sink(str(quick), INFO, SETTINGS)}, live=True)
        recorder.attach(pipeline)
        with running(pipeline):
            wait_until(lambda: pipeline.report().frames_in)
            name = recorder.start(INFO)
            begun = pipeline.report().frames_in
            wait_until(lambda: pipeline.report().frames_in > begun + RATE_HZ)
            source.late_s = 0.0
            recorder.stop()
            stopped = pipeline.report().frames_in
            wait_until(lambda: pipeline.report().frames_in > stopped + RATE_HZ)
        kept = media.video_numbers(folder / name)
    assert media.video_numbers(quick) == list(range(pipeline.report().frames_in))
    assert len(kept) >= RATE_HZ
    # The end alone, half a second of pictures and the index, takes this disk more than a second.
    assert source.late_s < 0.7, "something held up everything"
