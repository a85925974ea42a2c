"""A browser as the camera, by WebSocket, in front of a real pipeline."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from stream.frame import Frame
from stream.pipeline import Pipeline
from stream.sinks.null import NullSink
from stream.sources.settings import SourceSettings
from stream.web.camera import BrowserCamera
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from tests import barcode
from tests.steered_run import camera_message, next_shown, open_socket, until

GENEROUS_S = 10.0
NOT_A_NUMBER = struct.pack("<d", float("nan"))


class Kept(NullSink):
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(WebSettings(port=0)) as server:
        yield server


@contextmanager
def streaming(server: WebServer, camera: BrowserCamera, kept: Kept) -> Iterator[None]:
    """A pipeline from the browser's camera to the panel, on threads of its own."""

    def run() -> None:
        with camera:
            sinks = {"kept": kept, "web": server.sink()}
            Pipeline(camera, {"mirror": barcode.recolored}, sinks, live=True).run()

    running = threading.Thread(target=run)
    running.start()
    try:
        yield
    finally:
        camera.stop()
        running.join()


async def send(socket: ClientConnection, number: int) -> None:
    """Send a picture and wait until it is taken."""
    await socket.send(camera_message(barcode.picture(number, 128, 96), 33.0 * number))
    assert await asyncio.wait_for(socket.recv(), GENEROUS_S) == "ack"


def test_pictures_go_through_the_pipeline_and_back(server: WebServer) -> None:
    camera, kept = server.camera(SourceSettings()), Kept()

    async def browse() -> None:
        async with (
            open_socket(server, "/ws/view") as view,
            open_socket(server, "/ws/camera") as eye,
        ):
            for number in range(8):
                await send(eye, number)
                got = await next_shown(view)
                assert barcode.read(got.swapped) == number
                assert got.swapped.shape == (96, 128, 3)

    with streaming(server, camera, kept):
        asyncio.run(browse())
    assert (camera.info.url, camera.info.width, camera.info.height) == ("browser", 128, 96)
    assert camera.info.live
    assert [frame.seq for frame in kept.frames] == list(range(8))
    assert kept.frames[0].pts_ns == 0
    times = [frame.pts_ns for frame in kept.frames]
    assert times == sorted(set(times))
    assert camera.health()["browser"].sent == 8


def test_it_survives_browsers_that_go_and_change_size(server: WebServer) -> None:
    camera, kept = server.camera(SourceSettings()), Kept()

    async def browse() -> None:
        assert camera.health()["browser"].state == "connecting"
        for visit, size in enumerate([(128, 96), (96, 128)]):
            async with open_socket(server, "/ws/view") as view:
                before = kept.frames[-1].seq if kept.frames else -1
                async with open_socket(server, "/ws/camera") as eye:
                    image = barcode.picture(visit, *size)
                    await eye.send(camera_message(image))
                    while (got := await next_shown(view)).seq <= before:
                        pass
                    assert got.swapped.shape == image.shape
                    assert camera.health()["browser"].state == "running"
                await until(lambda: camera.health()["browser"].state == "lost")

    with streaming(server, camera, kept):
        asyncio.run(browse())
    health = camera.health()["browser"]
    assert (health.state, health.losses, health.sent) == ("ended", 2, 2)
    assert kept.frames[1].pts_ns > kept.frames[0].pts_ns


def test_the_last_browser_that_comes_is_the_camera(server: WebServer) -> None:
    camera, kept = server.camera(SourceSettings()), Kept()

    async def browse() -> None:
        async with open_socket(server, "/ws/camera") as first:
            await send(first, 1)
            async with open_socket(server, "/ws/camera") as second:
                with pytest.raises(ConnectionClosed) as closed:
                    await asyncio.wait_for(first.recv(), GENEROUS_S)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4001
                await send(second, 2)
                assert camera.health()["browser"].state == "running"

    with streaming(server, camera, kept):
        asyncio.run(browse())


def test_the_newest_picture_wins_over_a_slow_pipeline(server: WebServer) -> None:
    """Nothing takes pictures here but the test."""
    camera = server.camera(SourceSettings())

    async def browse() -> None:
        async with open_socket(server, "/ws/camera") as eye:
            for number in range(20):
                await send(eye, number)

    asyncio.run(browse())
    with camera:
        first = next(iter(camera))
    assert (barcode.read(first.image), first.seq) == (19, 19)
    assert camera.health()["browser"].dropped == 19


def test_what_is_no_picture_ends_the_socket_and_nothing_else(server: WebServer) -> None:
    camera, kept = server.camera(SourceSettings()), Kept()
    good = camera_message(barcode.picture(5, 128, 96))

    async def browse() -> None:
        for nonsense in (
            b"", b"\x00" * 8, good[:-2], good[:8] + b"GIF89a", NOT_A_NUMBER + good[8:],
            "ack", "{}",
        ):  # fmt: skip
            async with open_socket(server, "/ws/camera") as eye:
                await eye.send(nonsense)
                with pytest.raises(ConnectionClosed) as closed:
                    await asyncio.wait_for(eye.recv(), GENEROUS_S)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1008
        async with open_socket(server, "/ws/camera") as eye:
            with pytest.raises(ConnectionClosed):
                await eye.send(bytes(9_000_000))
                await asyncio.wait_for(eye.recv(), GENEROUS_S)
        async with open_socket(server, "/ws/camera") as eye:
            # A JPEG from outside, but no picture inside; and one that claims to be huge.
            await eye.send(good[:8] + b"\xff\xd8\xff\xd9")
            huge = bytearray(good)
            at = huge.index(b"\xff\xc0")
            struct.pack_into(">HH", huge, at + 5, 65_000, 65_000)
            await eye.send(bytes(huge))
            await send(eye, 5)
            await until(lambda: bool(kept.frames))

    with streaming(server, camera, kept):
        asyncio.run(browse())
    assert [barcode.read(frame.image) for frame in kept.frames] == [5]


def test_a_camera_that_nobody_asked_for_is_refused(server: WebServer) -> None:
    async def browse() -> None:
        async with open_socket(server, "/ws/camera") as eye:
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(eye.recv(), GENEROUS_S)
            assert closed.value.rcvd is not None
            assert "source" in closed.value.rcvd.reason

    asyncio.run(browse())


def test_duration_ends_the_stream(server: WebServer) -> None:
    camera = server.camera(replace(SourceSettings(), duration_s=0.05))

    async def browse() -> None:
        async with open_socket(server, "/ws/camera") as eye:
            while running.is_alive():
                await send(eye, 1)

    ended: list[Frame] = []

    def run() -> None:
        with camera:
            ended.extend(camera)

    running = threading.Thread(target=run)
    running.start()
    asyncio.run(browse())
    running.join()
    assert ended
    assert all(frame.pts_ns < 50_000_000 for frame in ended)
