"""What is published arrives: in order, without gaps, by every protocol, at a real receiver."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.sinks.publish import PublishSettings
from tests.contract import media
from tests.live.broadcast import (
    PATIENCE_S,
    Broadcast,
    in_order,
    lives,
    offspring,
    open_files,
    watch,
)
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer
from tests.live.servers.rtsp import RtspServer

SETTINGS = PublishSettings(encoder="libx264", keyframe_s=0.4, stall_s=5.0, retry_max_s=0.5)
ROOT = Path(__file__).parents[2]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@needs("nginx-rtmp")
def test_rtmp_pictures_come_in_order_and_leave_nothing_behind(tmp_path: Path) -> None:
    with RtmpServer(tmp_path) as server:
        before = open_files()
        with Broadcast([server.url()], SETTINGS) as broadcast:
            broadcast.wait("running")
            numbers = watch(server.url(), 30)
        assert in_order(numbers), numbers
        health = broadcast.health()[server.url()]
        assert health.state == "ended"
        assert health.sent >= 30
        assert health.sent + health.dropped == broadcast.frames
        assert open_files() == before
    assert not offspring(os.getpid())


@needs("gst-rtsp-server")
def test_rtsp_pictures_come_in_order() -> None:
    with (
        RtspServer() as server,
        Broadcast([server.url("/publish")], SETTINGS) as broadcast,
    ):
        broadcast.wait("running")
        numbers = watch(server.url("/play"), 20, {"rtsp_transport": "tcp"})
    assert in_order(numbers), numbers


def test_transport_streams_come_in_order_by_udp_and_tcp(tmp_path: Path) -> None:
    udp, tcp = free_port(socket.SOCK_DGRAM), free_port()
    urls = [f"udp://127.0.0.1:{udp}", f"tcp://127.0.0.1:{tcp}"]
    with (
        ThreadPoolExecutor(2) as viewers,
        Broadcast(urls, SETTINGS) as broadcast,
    ):
        # Receivers that are there before, after, and only for a while: the sender does not care.
        seen = [
            viewers.submit(watch, urls[0], 20),
            viewers.submit(watch, f"{urls[1]}?listen=1", 20),
        ]
        for numbers in seen:
            assert in_order(numbers.result()), numbers.result()
        assert broadcast.health()[urls[0]].state == "running"


def test_playlist_holds_the_end_of_the_stream(tmp_path: Path) -> None:
    playlist = tmp_path / "live.m3u8"
    with Broadcast([str(playlist)], SETTINGS) as broadcast:
        while broadcast.frames < 75:
            time.sleep(0.05)
    numbers = watch(str(playlist), 1000)
    assert in_order(numbers)
    assert numbers[-1] == broadcast.frames - 1, "and the last picture was written"
    assert len(numbers) >= 40
    assert "#EXT-X-ENDLIST" in playlist.read_text(encoding="utf-8")


@needs("ffmpeg")
def test_srt_pictures_come_in_order_and_are_found_again(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    url = f"srt://127.0.0.1:{port}"

    def listen(file: Path) -> list[int]:
        read = ["-analyzeduration", "300000", "-i", f"{url}?mode=listener"]
        write = ["-frames:v", "30", "-c", "copy", str(file)]
        subprocess.run(
            ["ffmpeg", "-loglevel", "fatal", *read, *write],
            timeout=PATIENCE_S,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return media.video_numbers(file)

    with Broadcast([url], SETTINGS) as broadcast:
        first = listen(tmp_path / "first.ts")
        broadcast.wait("lost")
        second = listen(tmp_path / "second.ts")
        assert broadcast.health()[url].losses >= 1
    # The command is shown two pictures before it connects.
    assert in_order(first[2:]), first
    assert in_order(second[2:]), second
    assert second[2] > first[-1]


def test_srt_without_a_command_that_speaks_it(tmp_path: Path) -> None:
    mute = tmp_path / "ffmpeg"
    mute.write_text("#!/bin/sh\necho 'Output: file tcp udp'\n", encoding="utf-8")
    mute.chmod(0o755)
    for command, words in ((str(mute), "does not speak SRT"), ("/nowhere/ffmpeg", "there is no")):
        settings = PublishSettings(encoder="libx264", ffmpeg=command)
        broadcast = Broadcast(["srt://127.0.0.1:1?passphrase=secret1234"], settings)
        broadcast._thread.start()
        broadcast._thread.join()
        assert isinstance(broadcast.failure, SinkError)
        assert words in str(broadcast.failure)
        assert "apt-get install ffmpeg" in str(broadcast.failure)
        assert "secret" not in str(broadcast.failure)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere children notice when they write")
@needs("nginx-rtmp", "ffmpeg")
def test_no_process_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    with silent, RtmpServer(tmp_path) as server:
        urls = [
            server.url(),
            f"rtmp://127.0.0.1:{port}/live/stuck",
            f"srt://127.0.0.1:{free_port(socket.SOCK_DGRAM)}?mode=listener",
        ]
        script = (
            "import sys, time\n"
            "from tests.live.test_publish import SETTINGS, Broadcast\n"
            f"with Broadcast({urls!r}, SETTINGS) as broadcast:\n"
            "    broadcast.wait('running')\n"
            "    print('running', flush=True)\n"
            "    time.sleep(60)\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
        assert parent.stdout is not None
        with parent.stdout:
            assert parent.stdout.readline() == b"running\n"
            deadline_s = time.monotonic() + PATIENCE_S
            while len(children := offspring(parent.pid)) < 4 and time.monotonic() < deadline_s:
                time.sleep(0.05)
            assert len(children) == 4, "three workers, and the ffmpeg command of one"
            parent.kill()
            parent.wait()
        while any(map(lives, children)) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert not any(map(lives, children))
