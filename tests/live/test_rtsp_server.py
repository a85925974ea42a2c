"""The server that other tests rely on does what they rely on."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

import av
import pytest

from tests import barcode
from tests.live.needs import needs
from tests.live.servers.rtsp import RtspServer, live_picture

pytestmark = needs("gst-rtsp-server")

_OPTIONS = {"rtsp_transport": "tcp"}
_TICK = Fraction(1, 90_000)
_PATIENCE_S = 10.0


def publish(url: str, leave: threading.Event) -> None:
    with av.open(url, "w", format="rtsp", options=_OPTIONS) as output:
        video = output.add_stream("libx264", rate=25, options={"tune": "zerolatency", "g": "12"})
        context = video.codec_context
        context.width, context.height, context.thread_count = barcode.WIDTH, barcode.HEIGHT, 1
        context.time_base = _TICK
        number = 0
        while not leave.wait(0.04):
            frame = av.VideoFrame.from_ndarray(barcode.picture(number), "bgr24")
            frame.pts, frame.time_base = 3600 * number, _TICK
            output.mux(video.encode(frame))
            number += 1


def first_pictures(url: str, count: int) -> list[av.VideoFrame]:
    with av.open(url, options=_OPTIONS, timeout=_PATIENCE_S) as source:
        pictures = source.decode(source.streams.video[0])
        return [next(pictures) for _ in range(count)]


def test_what_is_published_is_played() -> None:
    with RtspServer() as server:
        leave = threading.Event()
        publisher = threading.Thread(target=publish, args=(server.url("/publish"), leave))
        publisher.start()
        try:
            pictures = first_pictures(server.url("/play"), 5)
        finally:
            leave.set()
            publisher.join()
        numbers = [barcode.read(picture.to_ndarray(format="bgr24")) for picture in pictures]
        assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_it_comes_back_on_the_same_port_with_another_picture() -> None:
    with RtspServer() as server:
        assert first_pictures(server.url(), 1)[0].width == 320
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            first_pictures(server.url(), 1)
        server.play["/test"] = live_picture(160, 120)
        server.start()
        assert first_pictures(server.url(), 1)[0].width == 160


def test_frozen_it_answers_nobody() -> None:
    with RtspServer() as server:
        server.pause()
        began_s = time.monotonic()
        with pytest.raises((av.error.FFmpegError, OSError)):
            av.open(server.url(), options=_OPTIONS, timeout=0.3)
        assert time.monotonic() - began_s < _PATIENCE_S
        server.resume()
        assert first_pictures(server.url(), 1)
