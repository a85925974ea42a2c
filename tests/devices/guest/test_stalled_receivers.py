"""Receivers that freeze beside a virtual camera and a file: those two lose nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from stream.frame import SourceInfo
from stream.health import Health
from stream.outputs import PUBLISH
from stream.pipeline import Pipeline
from stream.sinks import Sink, SinkSettings, open_sink
from stream.sinks.publish import Publisher, PublishSettings
from tests.contract import media
from tests.devices.guest.conftest import FIRST, virtual_cameras
from tests.devices.guest.streaming import Viewer, running, wait_until
from tests.live.broadcast import SIZE, BarCodes
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer
from tests.live.servers.rtsp import RtspServer

# Everything is emulated, and v4l2loopback 0.12 leaves pictures out for a program that is more
# than two of them behind.
RATE_HZ = 5
CAMERA = f"virtual-camera:{FIRST}"
# Enough to fill what the system keeps for a receiver that does not read.
SETTINGS = PublishSettings(
    encoder="libx264", preset="ultrafast", bitrate_kbps=8_000, keyframe_s=1.0, stall_s=4.0
)


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
