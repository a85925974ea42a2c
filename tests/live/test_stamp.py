"""Stamps through real servers and codecs: painted by one process, read by others."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.latency import relay
from benchmarks.latency.child import running
from benchmarks.latency.seen import added_ms
from stream import stamp
from tests.e2e.conftest import PROGRAM, read_pictures
from tests.live.needs import needs
from tests.live.servers.rtsp import RtspServer

pytestmark = needs("gst-rtsp-server")

_PATIENCE_S = 60.0


def test_a_cameras_own_stamps_survive_the_swap(tmp_path: Path) -> None:
    began_ns = time.monotonic_ns()
    publisher = [sys.executable, "-m", "benchmarks.latency.publisher"]
    with (
        RtspServer() as server,
        running([*publisher, server.url("/publish"), "640", "360", "15"], tmp_path / "log"),
    ):
        arguments = [server.url("/play"), "--duration", "2", "-o", "out.mp4", "--report", "r.json"]
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["faces_swapped"] > 0
    stamps = [stamp.read(picture) for picture in read_pictures(tmp_path / "out.mp4")]
    ages_ns = [stamp.age_ns(time_ms, began_ns) for time_ms in stamps if time_ms is not None]
    assert len(ages_ns) >= len(stamps) - 1 > 3
    # Newer and newer, all painted since this test began.
    assert ages_ns == sorted(ages_ns, reverse=True)
    assert ages_ns[0] < 0


def test_the_latency_benchmark_sees_every_picture_at_both_servers() -> None:
    measured = relay.measure(relay.passing("copy"), 1.0, width=640, height=360, rate=15)
    span = measured.began_ns, measured.ended_ns
    near, far = measured.near.ages_ms(*span), measured.far.ages_ms(*span)
    added = added_ms(near, far)
    assert len(added) == len(near) == len(far) > 5
    # Later behind the second server than before it, and within the time of the measurement.
    assert all(0 < value < 10_000 for value in added.values())
    assert measured.near.unreadable == measured.far.unreadable == 0
