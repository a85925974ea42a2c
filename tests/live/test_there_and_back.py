"""Our own publisher through a real server into our own source, by every protocol that does both."""

from __future__ import annotations

import socket
from itertools import islice, pairwise
from pathlib import Path

from stream.sinks.publish import PublishSettings
from stream.sources import SourceSettings, open_source
from tests import barcode
from tests.live.broadcast import Broadcast
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer
from tests.live.servers.rtsp import RtspServer

SETTINGS = PublishSettings(encoder="libx264", keyframe_s=0.4, retry_max_s=0.5)


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def there_and_back(target: str, source: str) -> None:
    with Broadcast([target], SETTINGS) as broadcast:
        broadcast.wait("running")
        with open_source(source, SourceSettings(read_timeout_s=10)) as back:
            assert back.info.live
            assert (back.info.width, back.info.height) == (160, 96)
            frames = list(islice(back, 40))
    numbers = [barcode.read(frame.image) for frame in frames]
    assert all(0 < later - number < 10 for number, later in pairwise(numbers)), numbers
    assert numbers[-20:] == list(range(numbers[-20], numbers[-20] + 20)), "no picture is lost"
    assert [frame.seq for frame in frames] == list(range(40))
    assert all(later.pts_ns > frame.pts_ns for frame, later in pairwise(frames))


@needs("nginx-rtmp")
def test_rtmp(tmp_path: Path) -> None:
    with RtmpServer(tmp_path) as server:
        there_and_back(server.url(), server.url())


@needs("gst-rtsp-server")
def test_rtsp() -> None:
    with RtspServer({}) as server:
        there_and_back(server.url("/publish"), server.url("/play"))


def test_udp() -> None:
    port = free_udp_port()
    there_and_back(f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}")
