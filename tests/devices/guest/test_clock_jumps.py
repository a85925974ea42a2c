"""The machine's clock is set, a day ahead and two days back, while everything streams."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from stream.documented import Documented
from stream.frame import SourceInfo
from stream.health import Health
from stream.outputs import PUBLISH
from stream.pipeline import Pipeline
from stream.recording import Recorder
from stream.session_log import beside
from stream.sinks import Sink, SinkSettings, open_sink
from stream.sinks.publish import Publisher, PublishSettings
from stream.sources import SourceSettings, open_source
from tests.contract import media
from tests.devices.guest.conftest import FIRST, WEBCAM, loaded, virtual_cameras
from tests.devices.guest.streaming import Viewer, running, wait_until
from tests.live.broadcast import SIZE, BarCodes
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer

DAY_S = 86_400
RATE_HZ = 5
INFO = SourceInfo("barcode:", *SIZE, rate=Fraction(RATE_HZ), live=True)
FILES = SinkSettings(preset="ultrafast")
RECEIVERS = PublishSettings(encoder="libx264", preset="ultrafast", keyframe_s=1.0)


def set_clock(seconds: float) -> None:
    time.clock_settime(time.CLOCK_REALTIME, seconds)


def jump(days: int) -> None:
    set_clock(time.time() + days * DAY_S)


@pytest.fixture(autouse=True)
def right_again() -> Iterator[None]:
    """The clock, after the test."""
    ahead_s = time.time() - time.monotonic()
    yield
    set_clock(time.monotonic() + ahead_s)


@needs("nginx-rtmp")
def test_outputs_go_on_when_the_clock_is_set(tmp_path: Path) -> None:
    file, began_s = tmp_path / "kept.mp4", time.monotonic()
    with (
        virtual_cameras(exclusive=True),
        Viewer(tmp_path / "seen") as viewer,
        RtmpServer(tmp_path) as rtmp,
    ):
        sinks: dict[str, Sink] = {
            "file": Documented(
                open_sink(str(file), INFO, FILES), file, lambda: {"model": {}}, None
            ),
            "camera": open_sink(f"virtual-camera:{FIRST}", INFO, FILES),
            PUBLISH: Publisher([rtmp.url()], INFO, RECEIVERS),
        }
        pipeline = Pipeline(BarCodes(rate_hz=RATE_HZ), {}, sinks, live=True)

        def receiver() -> Health:
            return pipeline.report().sinks[rtmp.url()]

        def go_on() -> None:
            """Everybody gets some more pictures."""
            begun, sent = pipeline.report().frames_in, receiver().sent
            wait_until(lambda: receiver().sent > sent + RATE_HZ)
            wait_until(lambda: viewer.seen[-1] > begun + RATE_HZ)

        with running(pipeline):
            wait_until(lambda: pipeline.report().frames_in)
            viewer.look()
            wait_until(lambda: receiver().state == "running" and len(viewer.seen) > RATE_HZ)
            watched = viewer.seen
            jump(1)
            go_on()
            jump(-2)
            go_on()
        report = pipeline.report()
        frames = report.frames_in
        wait_until(lambda: viewer.seen[-1] == frames - 1)
        seen = viewer.seen

    assert media.video_numbers(file) == list(range(frames))
    assert media.video_times(file) == [Fraction(number, RATE_HZ) for number in range(frames)]
    assert seen[len(watched) - 1 :] == list(range(watched[-1], frames))
    assert report.sinks["file"] == Health("ended", sent=frames)
    assert receiver().losses == 0
    passed_s = time.monotonic() - began_s
    assert frames / RATE_HZ - 1 < report.wall_s < passed_s
    assert 0 < report.age_ms.p50 <= report.age_ms.p99 < passed_s * 1000
    log = [json.loads(line) for line in beside(file).read_text(encoding="utf-8").splitlines()]
    start, end = (datetime.fromisoformat(line["time"]) for line in log)
    assert log[-1]["frames"] == frames
    assert end < start, "it tells what the clock said"


@needs("nginx-rtmp")
def test_recordings_and_lost_receivers_go_on_when_the_clock_is_set(tmp_path: Path) -> None:
    with RtmpServer(tmp_path) as rtmp:
        publisher = Publisher([rtmp.url()], INFO, RECEIVERS)
        pipeline = Pipeline(BarCodes(rate_hz=RATE_HZ), {}, {PUBLISH: publisher}, live=True)
        recorder = Recorder(tmp_path / "recordings", FILES)
        recorder.attach(pipeline)

        def wait_for_more() -> None:
            begun = pipeline.report().frames_in
            wait_until(lambda: pipeline.report().frames_in > begun + RATE_HZ)

        def wait_for(state: str) -> None:
            wait_until(lambda: {health.state for health in publisher.health().values()} == {state})

        with running(pipeline):
            wait_for("running")
            began_s, named_s = time.monotonic(), time.time()
            first = recorder.start(INFO)
            jump(1)
            rtmp.kill()
            wait_for("lost")
            jump(-2)  # While it waits to try again.
            rtmp.start()
            wait_for("running")
            wait_for_more()
            status = recorder.status()
            recorder.stop()
            set_clock(int(named_s))  # The name of the first one comes again.
            second = recorder.start(INFO)
            wait_for_more()
            recorder.stop()
    assert status is not None
    assert 0 < status["seconds"] < time.monotonic() - began_s
    assert first != second, "nothing is overwritten"
    for name in (first, second):
        kept = media.video_numbers(tmp_path / "recordings" / name)
        assert len(kept) >= RATE_HZ
        assert kept == list(range(kept[0], kept[-1] + 1))


def test_a_camera_goes_on_when_the_clock_is_set() -> None:
    settings = SourceSettings(camera_width=320, camera_height=180)
    with (
        loaded("vivid", "n_devs=1", "vid_cap_nr=20", "node_types=0x1"),
        open_source(WEBCAM, settings) as source,
    ):
        camera = iter(source)
        frames = list(islice(camera, 10))
        for days in (1, -2):
            jump(days)
            frames += islice(camera, 10)
        (health,) = source.health().values()
    steps = np.diff([frame.pts_ns for frame in frames])
    captured = np.diff([frame.captured_ns for frame in frames])
    assert [frame.seq for frame in frames] == list(range(30))
    # Generous: pictures come every 20 ms, and emulation leaves some out.
    assert 0 < steps.min() <= steps.max() < 2_000_000_000
    assert 0 < captured.min() <= captured.max() < 5_000_000_000
    assert (health.state, health.losses) == ("running", 0)
