"""Receivers that die, freeze or never answer: they are found again, and nobody else notices."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from stream.sinks.publish import PublishSettings
from tests.contract import media
from tests.live.broadcast import Broadcast, in_order, watch
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer
from tests.live.servers.rtsp import RtspServer

SETTINGS = PublishSettings(
    encoder="libx264", keyframe_s=0.4, stall_s=1.0, retry_max_s=0.5, queue_s=1.0
)


@contextmanager
def silence() -> Iterator[int]:
    """A port where connections are accepted and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def check_file(file: Path, broadcast: Broadcast) -> None:
    assert media.video_numbers(file) == list(range(broadcast.frames))


@needs("nginx-rtmp")
def test_a_killed_server_is_found_again_and_a_file_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "kept.mp4"
    with silence() as port, RtmpServer(tmp_path) as server:
        dead = [f"{scheme}://127.0.0.1:{port}/live/dead" for scheme in ("rtmp", "rtsp")]
        fails = f"{dead[0]}: nothing could be sent: no answer within 1 s; {dead[1]}: nothing"
        with Broadcast([server.url(), *dead], SETTINGS, file, fails=fails) as broadcast:
            broadcast.wait("running")
            before = watch(server.url(), 10)
            for _ in range(2):
                server.kill()
                lost = broadcast.wait("lost")
                assert lost.detail
                server.start()
                broadcast.wait("running")
            after = watch(server.url(), 10)
        assert after[0] > before[-1]
        assert in_order(before)
        assert in_order(after)
        alive, *others = broadcast.health().values()
        assert alive.losses == 2
        assert all(other.sent == 0 for other in others)
        assert all("no answer within 1 s" in other.detail for other in others)
    # The report tells of each, and that something went wrong.
    assert {*dead, server.url(), "file", "publish"} == set(broadcast.report.sinks)
    assert broadcast.report.sinks["publish"].state == "failed"
    assert broadcast.report.sinks[server.url()].sent
    check_file(file, broadcast)


@needs("nginx-rtmp")
def test_a_frozen_server_costs_only_its_own_pictures(tmp_path: Path) -> None:
    file = tmp_path / "kept.mp4"
    # Enough to fill what the system keeps for a receiver that does not read.
    settings = replace(SETTINGS, bitrate_kbps=8_000, preset="ultrafast", stall_s=0.5)
    with (
        RtmpServer(tmp_path) as server,
        Broadcast([server.url("a")], settings, file, noisy=True) as broadcast,
    ):
        broadcast.wait("running")
        server.pause()
        lost = broadcast.wait("lost")
        assert lost.detail.startswith(("took nothing for", "no answer within"))
        assert lost.dropped
        server.resume()
        broadcast.wait("running")
        assert in_order(watch(server.url("a"), 10))
    check_file(file, broadcast)


@needs("gst-rtsp-server")
def test_a_killed_rtsp_server_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / "kept.mp4"
    with (
        RtspServer() as server,
        Broadcast([server.url("/publish")], SETTINGS, file) as broadcast,
    ):
        broadcast.wait("running")
        server.kill()
        broadcast.wait("lost")
        server.start()
        broadcast.wait("running")
        assert in_order(watch(server.url("/play"), 10, {"rtsp_transport": "tcp"}))
    check_file(file, broadcast)


@needs("nginx-rtmp")
def test_a_receiver_that_is_not_there_yet_is_found_when_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = RtmpServer(tmp_path)
    url = server.url().replace("://", "://user:secret@") + "?key=secret"
    with Broadcast([url], SETTINGS) as broadcast:
        broadcast.wait("connecting", detail="refused")
        with server:
            broadcast.wait("running")
            assert in_order(watch(server.url(), 5))
        assert list(broadcast.health()) == [server.url()]
    assert "secret" not in caplog.text
    assert caplog.text.count("not connected") == 1, "said once, not with each attempt"
