"""Receivers that freeze beside a virtual camera and a file: those two lose nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from stream.frame import SourceInfo
from stream.health import Health
from stream.outputs import PUBLISH
from stream.pipeline import Pipeline
from stream.sinks import Sink, SinkSettings, open_sink
from stream.sinks.publish import Publisher, PublishSettings
from tests import barcode
from tests.contract import media
from tests.devices.guest.conftest import FIRST, virtual_cameras
from tests.live.broadcast import SIZE, BarCodes
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer
from tests.live.servers.rtsp import RtspServer

# Everything is emulated, and v4l2loopback 0.12 leaves pictures out for a program that is more
# than two of them behind.
RATE_HZ = 5
CAMERA = f"virtual-camera:{FIRST}"
PATIENCE_S = 60.0
# Enough to fill what the system keeps for a receiver that does not read.
SETTINGS = PublishSettings(
    encoder="libx264", preset="ultrafast", bitrate_kbps=8_000, keyframe_s=1.0, stall_s=4.0
)

_VIEWER = """
import sys, av
with av.open(sys.argv[1], format="v4l2") as camera, open(sys.argv[2], "wb", buffering=0) as kept:
    for picture in camera.demux(video=0):
        kept.write(picture)
"""


class Viewer:
    """Another program, which keeps every picture that the virtual camera gives it."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def look(self) -> None:
        """Begin; the camera has to be written already."""
        self._process = subprocess.Popen([sys.executable, "-c", _VIEWER, FIRST, self._kept])

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def seen(self) -> list[int]:
        """Numbers of all pictures so far."""
        if not self._kept.exists():
            return []
        width, height = SIZE
        data = np.fromfile(self._kept, np.uint8)
        picture_bytes = width * height * 3 // 2
        pictures = data[: len(data) // picture_bytes * picture_bytes].reshape(-1, picture_bytes)
        lumas = pictures[:, : width * height].reshape(-1, height, width, 1)
        return [barcode.read(luma) for luma in lumas]


@contextmanager
def running(pipeline: Pipeline) -> Iterator[None]:
    """In a thread of its own; after the block all of its outputs are finished."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            pipeline.run()
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        pipeline.stop()
        thread.join()
    if failures:
        raise failures[0]


def wait_until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.2)


@needs("nginx-rtmp", "gst-rtsp-server")
@pytest.mark.parametrize("live", [True, False], ids=["live", "lossless"])
def test_frozen_receivers_cost_a_virtual_camera_and_a_file_nothing(
    live: bool, tmp_path: Path
) -> None:
    # Lossless is what a file runs in that is published: only the camera's link may leave
    # pictures out then, and a publisher that waits would hold up everything.
    file = tmp_path / "kept.mp4"
    info = SourceInfo("barcode:", *SIZE, rate=Fraction(RATE_HZ), live=live)
    output = SinkSettings(preset="ultrafast")
    with (
        virtual_cameras(exclusive=True),
        Viewer(tmp_path / "seen") as viewer,
        RtmpServer(tmp_path) as rtmp,
        RtspServer() as rtsp,
    ):
        urls = [rtmp.url(), rtsp.url("/publish")]
        sinks: dict[str, Sink] = {url: open_sink(url, info, output) for url in (CAMERA, str(file))}
        sinks[PUBLISH] = publisher = Publisher(urls, info, SETTINGS)
        source = BarCodes(noisy=True, rate_hz=RATE_HZ)
        pipeline = Pipeline(source, {}, sinks, live=live)

        def receivers_are(state: str, detail: str = "") -> bool:
            healths = publisher.health().values()
            return all(health.state == state and detail in health.detail for health in healths)

        with running(pipeline):
            wait_until(lambda: pipeline.report().frames_in)
            viewer.look()
            wait_until(lambda: receivers_are("running") and len(viewer.seen) > RATE_HZ)
            watched = viewer.seen
            rtmp.pause()
            rtsp.pause()
            wait_until(lambda: receivers_are("lost"))
            lost_at = pipeline.report().frames_in
            # They are tried again, which accept now and never read.
            wait_until(lambda: receivers_are("lost", "no answer within"))
        report = pipeline.report()
        frames = report.frames_in
        wait_until(lambda: viewer.seen[-1] == frames - 1)
        seen = viewer.seen

    # While it opens the camera, this viewer may itself be too slow for the driver.
    assert seen[len(watched) - 1 :] == list(range(watched[-1], frames))
    assert media.video_numbers(file) == list(range(frames))
    all_taken = Health("ended", sent=frames)
    assert report.sinks[f"{FIRST} (One)"] == all_taken
    assert report.sinks[str(file)] == all_taken
    assert not any(link.dropped for link in report.links.values())
    outlet = report.links[f"capture -> {PUBLISH}"]
    assert outlet.peak < outlet.capacity, "nothing ever waited for the publisher"
    for receiver in (report.sinks[url] for url in urls):
        assert receiver.losses == 1
        assert 0 < receiver.sent < lost_at
        assert receiver.sent + receiver.dropped == frames
