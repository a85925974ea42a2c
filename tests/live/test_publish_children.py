"""A child process that is killed is replaced; what it served goes on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from stream.sinks.publish import PublishSettings
from tests.contract import media
from tests.live.broadcast import Broadcast

SETTINGS = PublishSettings(encoder="libx264", keyframe_s=0.4, retry_max_s=0.5)


def children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


@pytest.mark.skipif(sys.platform != "linux", reason="finds children in /proc")
def test_a_killed_child_is_replaced_and_a_file_loses_nothing(tmp_path: Path) -> None:
    file, playlist = tmp_path / "kept.mp4", tmp_path / "live" / "live.m3u8"
    playlist.parent.mkdir()
    before = children()
    with Broadcast([str(playlist)], SETTINGS, file) as broadcast:
        for _ in range(2):
            broadcast.wait("running")
            (child,) = children() - before
            os.kill(child, signal.SIGKILL)
            broadcast.wait("lost")
        broadcast.wait("running")
        assert broadcast.health()[str(playlist)].losses == 2
    assert children() <= before, "each is reaped"
    assert media.video_numbers(file) == list(range(broadcast.frames))
