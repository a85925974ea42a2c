"""WebRTC out and in, with aiortc in the place of the browser."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from fractions import Fraction

import av
import httpx
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from engine.face import Image
from stream.sinks.encoder import EncodedPicture
from stream.sources.settings import SourceSettings
from stream.web.rtc_video import PacketTrack
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from tests import barcode
from tests.steered_run import address, bearer, frame, until

SIZE = (320, 240)
GENEROUS_S = 20.0


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(WebSettings(port=0, max_clients=2)) as server:
        yield server


@asynccontextmanager
async def peer() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        yield connection
    finally:
        await connection.close()


async def negotiate(connection: RTCPeerConnection, server: WebServer, which: str) -> httpx.Response:
    await connection.setLocalDescription(await connection.createOffer())
    offer = {"sdp": connection.localDescription.sdp, "type": "offer"}
    async with httpx.AsyncClient(headers=bearer(server), timeout=GENEROUS_S) as client:
        answer = await client.post(address(server, f"/api/webrtc/{which}", "http"), json=offer)
    if answer.status_code == 200:
        await connection.setRemoteDescription(RTCSessionDescription(**answer.json()))
    return answer


def only(codec: str) -> list[object]:
    return [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType == codec]


async def number_in(track: MediaStreamTrack) -> int:
    received = await asyncio.wait_for(track.recv(), GENEROUS_S)
    assert isinstance(received, av.VideoFrame)
    assert (received.width, received.height) == SIZE
    return barcode.read(np.asarray(received.to_ndarray(format="bgr24"), np.uint8))


class Showing:
    """Shows numbered pictures, 50 a second, until left."""

    def __init__(self, server: WebServer) -> None:
        self._sink = server.sink()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show)

    def _show(self) -> None:
        number = 0
        while not self._done.wait(0.02):
            self._sink.write(frame(number, barcode.picture(number, *SIZE)))
            number += 1

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
def test_pictures_reach_a_peer(server: WebServer, codec: str) -> None:
    async def watch() -> list[int]:
        async with peer() as connection:
            transceiver = connection.addTransceiver("video", direction="recvonly")
            transceiver.setCodecPreferences(only(codec))
            answer = await negotiate(connection, server, "view")
            assert codec.removeprefix("video/") in answer.json()["sdp"]
            return [await number_in(transceiver.receiver.track) for _ in range(5)]

    with Showing(server):
        numbers = asyncio.run(watch())
    assert numbers == sorted(set(numbers))


def test_who_joins_later_sees_whole_pictures_too(server: WebServer) -> None:
    """All share one encoder; each begins at a key frame of its own time."""

    async def watch() -> None:
        async with peer() as first, peer() as second:
            for connection in (first, second):
                transceiver = connection.addTransceiver("video", direction="recvonly")
                assert (await negotiate(connection, server, "view")).status_code == 200
                for _ in range(3):
                    await number_in(transceiver.receiver.track)
            async with peer() as third:
                third.addTransceiver("video", direction="recvonly")
                answer = await negotiate(third, server, "view")
                assert answer.status_code == 503
                assert "max_clients" in answer.json()["error"]

    with Showing(server):
        asyncio.run(watch())


def test_a_peer_begins_and_goes_on_at_key_frames() -> None:
    class Encoder:
        def remove(self, track: PacketTrack) -> None:
            pass

    def picture(*, is_key: bool) -> EncodedPicture:
        return EncodedPicture(b"", 0, is_key)

    async def take() -> None:
        track = PacketTrack(Encoder())  # type: ignore[arg-type]
        assert not track.put(picture(is_key=False))
        assert track.put(picture(is_key=True))
        taken = 1
        while track.put(picture(is_key=False)):  # nobody sends them
            taken += 1
        assert taken < 100
        assert not track.put(picture(is_key=False))
        assert track.put(picture(is_key=True))
        track.stop()

    asyncio.run(take())


class NumberedTrack(MediaStreamTrack):
    """A browser's camera."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.number = -1

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.03)
        self.number += 1
        image: Image = barcode.picture(self.number, *SIZE)
        video = av.VideoFrame.from_ndarray(image, format="bgr24")
        video.pts, video.time_base = 3000 * self.number, Fraction(1, 90_000)
        return video


def test_a_peer_is_the_camera_until_it_goes(server: WebServer) -> None:
    camera = server.camera(SourceSettings())
    numbers: list[int] = []

    def take() -> None:
        with camera:
            numbers.extend(barcode.read(one.image) for one in camera)

    async def send() -> None:
        async with peer() as connection:
            connection.addTrack(NumberedTrack())
            answer = await negotiate(connection, server, "camera")
            assert "x-google-start-bitrate" in answer.json()["sdp"]
            await until(lambda: camera.health()["browser"].sent >= 5)
        await until(lambda: camera.health()["browser"].state == "lost")

    taking = threading.Thread(target=take)
    taking.start()
    try:
        asyncio.run(send())
    finally:
        camera.stop()
        taking.join()
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 5


def test_offers_that_make_no_sense(server: WebServer) -> None:
    server.camera(SourceSettings())
    with httpx.Client(base_url=address(server, "", "http"), headers=bearer(server)) as client:
        for sdp in (
            "",
            "v=0",
            "\r\n",
            "v=0\r\nm=video x\r\n",
            "x" * 1000,
            "\x00",
            "v=0\r\n" * 9999,
        ):
            for which in ("view", "camera"):
                answer = client.post(f"/api/webrtc/{which}", json={"sdp": sdp, "type": "offer"})
                assert answer.status_code in {200, 422}, sdp[:20]
                if which == "view":
                    assert set(answer.json()) == {"error"}
        long = client.post("/api/webrtc/view", json={"sdp": "x" * 200_000, "type": "offer"})
        assert long.status_code == 422
        assert client.get("/api/status").json()["web"]["viewers"] == 0


def test_no_camera_where_none_is_wanted(server: WebServer) -> None:
    answer = httpx.post(
        address(server, "/api/webrtc/camera", "http"),
        json={"sdp": "v=0", "type": "offer"},
        headers=bearer(server),
    )
    assert answer.status_code == 409


def test_leaving_ends_all_peers_soon() -> None:
    """The bound is generous: it shows that nothing waits for a peer."""

    async def watch() -> float:
        with WebServer(WebSettings(port=0)) as server, Showing(server):
            async with peer() as connection:
                transceiver = connection.addTransceiver("video", direction="recvonly")
                await negotiate(connection, server, "view")
                await number_in(transceiver.receiver.track)
                began_s = time.monotonic()
                await asyncio.to_thread(server.__exit__, None, None, None)
                return time.monotonic() - began_s

    assert asyncio.run(watch()) < 2.0
