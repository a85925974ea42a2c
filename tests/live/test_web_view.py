"""Browsers that watch: newest picture, no memory for the slow, nobody in the way of leaving."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from engine.face import Image
from stream.pipeline import Pipeline
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from tests import barcode
from tests.steered_run import address, bearer, decoded, frame, next_shown, open_socket, shown, until

GENEROUS_S = 10.0


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(WebSettings(port=0, max_clients=3)) as server:
        yield server


def picture(number: int) -> Image:
    return barcode.picture(number, 128, 96)


async def watched(server: WebServer, viewers: int) -> None:
    """Wait until so many browsers watch."""
    await until(lambda: server.sink().health()["web"].detail == f"{viewers} watching")


def test_pictures_arrive_in_order_with_their_times(server: WebServer) -> None:
    async def watch() -> None:
        async with open_socket(server, "/ws/view") as view:
            await watched(server, 1)
            for number in range(5):
                sent = frame(number, picture(number), held=number == 3)
                server.sink().write(sent)
                got = await next_shown(view)
                assert barcode.read(got.swapped) == number
                assert (got.seq, got.captured_ms) == (number, sent.captured_ns / 1e6)
                assert (got.original, got.flags) == (None, 2 if number == 3 else 0)

    asyncio.run(watch())


def test_the_original_comes_along_for_those_who_ask(server: WebServer) -> None:
    async def watch() -> None:
        async with open_socket(server, "/ws/view?original=1") as both:
            await watched(server, 1)
            assert server.wants_original
            async with open_socket(server, "/ws/view?original=0") as one:
                await watched(server, 2)
                server.sink().write(frame(0, picture(1), picture(2)))
                got = await next_shown(both)
                assert got.original is not None
                assert barcode.read(got.original) == 2
                assert got.flags == 1
                assert (await next_shown(one)).original is None
            server.sink().write(frame(1, picture(3)))  # nobody kept it this time
            assert (await next_shown(both)).flags == 0

    asyncio.run(watch())


def test_a_late_viewer_sees_the_last_picture_at_once(server: WebServer) -> None:
    server.sink().write(frame(7, picture(7)))

    async def watch() -> None:
        async with open_socket(server, "/ws/view") as view:
            assert (await next_shown(view)).seq == 7

    asyncio.run(watch())


def test_who_never_acknowledges_gets_two_pictures_and_then_the_newest(server: WebServer) -> None:
    async def watch() -> None:
        async with (
            open_socket(server, "/ws/view") as slow,
            open_socket(server, "/ws/view") as quick,
        ):
            await watched(server, 2)
            for number in range(50):
                server.sink().write(frame(number, picture(number)))
                assert (await next_shown(quick)).seq == number
            assert [shown(await slow.recv()).seq for _ in range(2)] == [0, 1]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(slow.recv(), 0.2)
            await slow.send("ack")
            assert shown(await slow.recv()).seq == 49

    asyncio.run(watch())


def test_acknowledgments_in_advance_buy_nothing(server: WebServer) -> None:
    async def watch() -> None:
        async with open_socket(server, "/ws/view") as view:
            await watched(server, 1)
            for _ in range(100):
                await view.send("ack")
            await view.send('{"ping": 1}')
            assert "pong" in json.loads(await view.recv())
            got = 0
            for number in range(6):
                server.sink().write(frame(number, picture(number)))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(view.recv(), 0.1)
                    got += 1
            assert got == 2

    asyncio.run(watch())


def test_clocks_can_be_aligned(server: WebServer) -> None:
    async def ask() -> None:
        async with open_socket(server, "/ws/view") as view:
            before = time.monotonic() * 1000
            await view.send('{"ping": 12.5}')
            answer = json.loads(await view.recv())
            assert answer["pong"] == 12.5
            assert before <= answer["now"] <= time.monotonic() * 1000

    asyncio.run(ask())


def test_messages_that_make_no_sense_end_only_their_own_socket(server: WebServer) -> None:
    async def talk() -> None:
        async with open_socket(server, "/ws/view") as bystander:
            for nonsense in (
                "nack", "", "{}", '{"ping": "x"}', '{"ping": NaN}', '{"ping": 1, "b": 2}',
                '{"ping": 1e400}', "[" * 200, "x" * 100_000, b"ack", b"\x00" * 100_000,
            ):  # fmt: skip
                async with open_socket(server, "/ws/view") as view:
                    await view.send(nonsense)
                    with pytest.raises(ConnectionClosed) as closed:
                        await asyncio.wait_for(view.recv(), GENEROUS_S)
                    assert closed.value.rcvd is not None
                    assert closed.value.rcvd.code == 1008, nonsense
            server.sink().write(frame(0, picture(0)))
            assert (await next_shown(bystander)).seq == 0

    asyncio.run(talk())


def test_no_more_viewers_than_allowed(server: WebServer) -> None:
    async def crowd() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(open_socket(server, "/ws/view"))
            await watched(server, 3)
            async with open_socket(server, "/ws/view") as late:
                with pytest.raises(ConnectionClosed) as closed:
                    await late.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1013
                assert "max_clients" in closed.value.rcvd.reason
            async with httpx.AsyncClient(headers=bearer(server)) as client:
                answer = await client.get(address(server, "/stream.mjpeg", "http"))
                assert answer.status_code == 503

    asyncio.run(crowd())


def test_motion_jpeg(server: WebServer) -> None:
    url = address(server, "/stream.mjpeg", "http")
    server.sink().write(frame(0, picture(0)))
    with httpx.stream("GET", url, headers=bearer(server), timeout=GENEROUS_S) as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
        received = b""
        number = 0
        for data in answer.iter_raw():
            received += data
            head, separator, rest = received.partition(b"\r\n\r\n")
            if not separator:
                continue
            length = int(head.split(b"Content-Length: ")[1])
            if len(rest) < length + 2:
                continue
            assert head.startswith(b"--picture\r\nContent-Type: image/jpeg\r\n")
            assert barcode.read(decoded(rest[:length])) == number
            received = rest[length + 2 :]
            number += 1
            if number == 3:
                break
            server.sink().write(frame(number, picture(number)))
    assert number == 3


@pytest.mark.parametrize("path", ["/stream.mjpeg", "/ws/view"])
def test_who_stops_reading_or_hangs_up_holds_nobody(server: WebServer, path: str) -> None:
    """A client that reads nothing fills its socket, and then hangs up in the middle."""
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    stuck = socket.create_connection(("127.0.0.1", server.port), timeout=GENEROUS_S)
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    stuck.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade if 'ws' in path else ''}"
        f"Authorization: {bearer(server)['Authorization']}\r\n\r\n".encode()
    )

    async def others() -> None:
        await watched(server, 1)
        async with open_socket(server, "/ws/view") as view:
            for number in range(12):  # some 15 MB, more than sockets hold
                server.sink().write(frame(number, noise))
                assert (await next_shown(view)).seq == number
            stuck.close()
            while server.sink().health()["web"].detail != "1 watching":
                await asyncio.sleep(0.01)  # the test's own timeout is the limit
                server.sink().write(frame(99, noise))

    asyncio.run(others())


def test_leaving_does_not_wait_for_those_who_watch(server: WebServer) -> None:
    """The bound is generous: it shows that nothing waits for a client."""
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)

    async def watch() -> float:
        async with contextlib.AsyncExitStack() as stack:
            view = await stack.enter_async_context(open_socket(server, "/ws/view"))
            await stack.enter_async_context(open_socket(server, "/ws/view"))  # reads nothing
            client = await stack.enter_async_context(httpx.AsyncClient(headers=bearer(server)))
            url = address(server, "/stream.mjpeg", "http")
            await stack.enter_async_context(client.stream("GET", url))  # reads nothing either
            await watched(server, 3)
            for number in range(4):
                server.sink().write(frame(number, noise))
                await next_shown(view)
            began_s = time.monotonic()
            await asyncio.to_thread(server.__exit__, None, None, None)
            took_s = time.monotonic() - began_s
            with pytest.raises(ConnectionClosed):
                await view.recv()
            return took_s

    assert asyncio.run(watch()) < 2.0


def test_a_pipeline_shows_its_frames(server: WebServer) -> None:
    class Endless(barcode.BarcodeSource):
        def stop(self) -> None:
            pass

    source = Endless([3000 * number for number in range(4000)], size=(128, 96), live=True)

    async def watch() -> list[int]:
        async with open_socket(server, "/ws/view") as view:
            return [barcode.read((await next_shown(view)).swapped) for _ in range(10)]

    with source:
        pipeline = Pipeline(source, {"stage": paced}, {"web": server.sink()}, live=True)
        running = threading.Thread(target=pipeline.run)
        running.start()
        numbers = asyncio.run(watch())
        pipeline.stop()
        running.join()
    assert numbers == sorted(set(numbers))


def paced(frame: barcode.Frame) -> barcode.Frame:
    time.sleep(0.002)
    return frame


def test_a_browser_that_breaks_the_protocol_is_no_failure_of_ours(
    server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()

    def show() -> None:
        number = 0
        while not ended.wait(0.001):
            server.sink().write(frame(number, picture(number % 4096)))
            number += 1

    async def break_it() -> None:
        async with open_socket(server, "/ws/view") as view:
            await next_shown(view)
            view.transport.write(b"\xff\x00")  # no operation of RFC 6455
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await next_shown(view)

    showing = threading.Thread(target=show)
    showing.start()
    try:
        for _ in range(30):
            asyncio.run(break_it())
    finally:
        ended.set()
        showing.join()
    assert not caplog.records
