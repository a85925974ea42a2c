"""Browsers that watch, or are the camera, by WebRTC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import partial
from typing import Any

import av
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.codecs import h264, vpx
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from engine.face import Image
from stream.sources.picture import to_bgr
from stream.web.broadcast import Broadcast, TooManyViewersError
from stream.web.camera import BrowserCamera, Seat, check_size
from stream.web.rtc_reports import SourceClock, report_source_times
from stream.web.rtc_sound import SharedSound, SoundTrack
from stream.web.rtc_video import H264, PacketTrack, PictureTrack, SharedEncoder
from stream.web.sdp import first_codec, with_bitrate
from stream.web.sender_clock import SenderClock

_CONNECT_TIMEOUT_S = 20.0
_CLOSE_TIMEOUT_S = 1.0
_UPLINK_KBIT_S = 2500

# aiortc's own limits blur 640x480; its encoders read them when they are made.
h264.DEFAULT_BITRATE, h264.MAX_BITRATE = 3_000_000, 12_000_000
vpx.DEFAULT_BITRATE, vpx.MAX_BITRATE = 3_000_000, 12_000_000


class NegotiationError(Exception):
    """An offer that cannot be answered."""


class Peers:
    """All WebRTC connections; used in one event loop, and closed there."""

    def __init__(self, most: int) -> None:
        """Without connections.

        Args:
            most: how many there may be.
        """
        self._most = most
        self._peers: set[_Peer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._encoder: SharedEncoder | None = None
        self._sound: SharedSound | None = None
        self._clock = SourceClock()

    async def view(self, offer: str, broadcast: Broadcast) -> dict[str, str]:
        """Begin to show pictures to a browser, with their sound if it asks for that too.

        Args:
            offer: session description with a video section that receives, and perhaps an
                audio section.
            broadcast: the pictures.

        Returns:
            The answer, as `sdp` and `type`.

        Raises:
            NegotiationError: the offer makes no sense.
            TooManyViewersError: as many as may watch already.
        """
        peer = self._new()
        try:
            peer.ends.enter_context(broadcast.watching())
        except TooManyViewersError:
            await self._drop(peer)
            raise
        connection = peer.connection

        def add_tracks(video: RTCRtpTransceiver) -> None:
            connection.addTrack(PictureTrack(broadcast))
            codecs = RTCRtpSender.getCapabilities("video").codecs
            video.setCodecPreferences(sorted(codecs, key=lambda one: one.mimeType != H264))
            self._add_sound(connection, broadcast)

        answer = await self._answer(peer, offer, add_tracks)
        if first_codec(answer["sdp"]) == H264:
            if self._encoder is None:
                self._encoder = SharedEncoder(broadcast)
            sender = _video_of(connection).sender
            # The connection is not up before this coroutine waits again.
            sender.replaceTrack(PacketTrack(self._encoder))
            # aiortc asks only encoders of its own for the key frames that browsers ask for.
            sender._send_keyframe = self._encoder.want_keyframe  # type: ignore[method-assign]  # noqa: SLF001 - see above
        for sender in connection.getSenders():
            report_source_times(sender, self._clock)
        return answer

    async def camera(self, offer: str, source: BrowserCamera) -> dict[str, str]:
        """Make a browser the camera.

        Args:
            offer: session description with a video section that sends.
            source: gets the pictures.

        Returns:
            The answer, as `sdp` and `type`.

        Raises:
            NegotiationError: the offer makes no sense.
            TooManyViewersError: as many connections as may be.
        """
        peer = self._new()
        loop = asyncio.get_running_loop()

        @peer.connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            if track.kind == "video":
                self._spawn(_pump(track, source, partial(self._drop_soon, loop, peer)))

        answer = await self._answer(peer, offer, lambda _: None)
        return answer | {"sdp": with_bitrate(answer["sdp"], _UPLINK_KBIT_S)}

    async def close(self) -> None:
        """End all connections."""
        for peer in list(self._peers):
            self._spawn(self._drop(peer))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_TIMEOUT_S)
        for task in self._tasks:
            task.cancel()

    def _new(self) -> _Peer:
        if len(self._peers) >= self._most:
            raise TooManyViewersError(
                f"{len(self._peers)} WebRTC connections already; raise web.max_clients"
            )
        peer = _Peer()
        self._peers.add(peer)

        @peer.connection.on("connectionstatechange")
        async def changed() -> None:
            if peer.connection.connectionState in {"failed", "closed"}:
                await self._drop(peer)

        timer = asyncio.get_running_loop().call_later(_CONNECT_TIMEOUT_S, self._expire, peer)
        peer.ends.callback(timer.cancel)
        return peer

    async def _answer(
        self, peer: _Peer, offer: str, prepare: Callable[[RTCRtpTransceiver], None]
    ) -> dict[str, str]:
        connection = peer.connection
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            prepare(_video_of(connection))
            await connection.setLocalDescription(await connection.createAnswer())
        except NegotiationError:
            await self._drop(peer)
            raise
        except Exception as error:
            # aiortc's parser meets nonsense with whatever error it runs into.
            await self._drop(peer)
            raise NegotiationError("this is no session description that can be answered") from error
        return {"sdp": connection.localDescription.sdp, "type": connection.localDescription.type}

    def _add_sound(self, connection: RTCPeerConnection, broadcast: Broadcast) -> None:
        """Answers one audio section, if there is any and the source has sound."""
        sections = [one for one in connection.getTransceivers() if one.kind == "audio"]
        for section in sections:
            section.direction = "inactive"
        if not sections or broadcast.audio is None:
            return
        if self._sound is None:
            self._sound = SharedSound(broadcast, broadcast.audio)
        sections[0].sender.replaceTrack(SoundTrack(self._sound))
        sections[0].direction = "sendonly"

    def _expire(self, peer: _Peer) -> None:
        if peer.connection.connectionState != "connected":
            self._spawn(self._drop(peer))

    async def _drop(self, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)
            peer.ends.close()
            await peer.connection.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _drop_soon(self, loop: asyncio.AbstractEventLoop, peer: _Peer) -> None:
        loop.call_soon_threadsafe(lambda: self._spawn(self._drop(peer)))


class _Peer:
    """One connection, and what ends with it."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.ends = ExitStack()


def _video_of(connection: RTCPeerConnection) -> RTCRtpTransceiver:
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            return transceiver
    raise NegotiationError("the offer has no video section")


async def _pump(track: MediaStreamTrack, source: BrowserCamera, close: Callable[[], None]) -> None:
    """Offers pictures as they come until the browser goes.

    The source drops what is late, so aiortc's own queue, which has no limit, stays empty.
    """
    clock = SenderClock()
    seat: Seat | None = None
    try:
        while True:
            video = await track.recv()
            assert isinstance(video, av.VideoFrame), "what comes from outside is decoded"
            captured_ns = time.monotonic_ns()
            if video.time is not None:
                captured_ns = clock.captured_ns(video.time * 1000, captured_ns)
            # Whoever is the camera stays it until there is a picture from the next one.
            seat = seat or source.seat(close)
            seat.offer(partial(_picture, video), captured_ns)
    except MediaStreamError:
        pass  # The browser has gone.
    finally:
        if seat is not None:
            seat.leave()


def _picture(video: av.VideoFrame) -> Image:
    check_size(video.width, video.height)
    return to_bgr(video)
