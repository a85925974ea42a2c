"""Pictures on their way out by WebRTC: encoded once for all browsers that take H.264."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from fractions import Fraction
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError

from stream import yuv420
from stream.errors import SinkError
from stream.frame import Frame
from stream.sinks.encoder import TIME_BASE, EncodedPicture, EncoderSettings, H264Encoder
from stream.timebase import to_ticks
from stream.web.broadcast import Broadcast
from stream.web.rtc_reports import ReportedTrack

logger = logging.getLogger(__name__)

_SETTINGS = EncoderSettings(profile="baseline", keyframe_s=4.0)
_KEYFRAME_PAUSE_S = 0.3
_LONGEST_QUEUE = 30

H264 = "video/H264"


class PacketTrack(ReportedTrack):
    """One browser's share of a `SharedEncoder`; begins at a key frame."""

    kind = "video"

    def __init__(self, encoder: SharedEncoder) -> None:
        super().__init__(TIME_BASE)
        self._encoder = encoder
        self._packets: deque[EncodedPicture] = deque()
        self._came = asyncio.Event()
        self._joined = False

    async def next(self) -> av.Packet[Any]:
        """The next packet; called by aiortc, for the first time when the connection is up."""
        self._encoder.add(self)
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._came.clear()
            await self._came.wait()
        picture = self._packets.popleft()
        packet: av.Packet[Any] = av.Packet(picture.data)
        packet.pts, packet.time_base = picture.pts, Fraction(TIME_BASE)
        return packet

    def put(self, picture: EncodedPicture) -> bool:
        """Take a packet; False if it went nowhere and a key frame is needed to go on."""
        if len(self._packets) >= _LONGEST_QUEUE:
            self._packets.clear()
            self._joined = False
        self._joined = self._joined or picture.is_key
        if self._joined:
            self._packets.append(picture)
            self._came.set()
        return self._joined

    def stop(self) -> None:
        """End; called by aiortc when the connection closes."""
        super().stop()
        self._encoder.remove(self)
        self._came.set()


class SharedEncoder:
    """Encodes each picture once for all its tracks, and nothing while there are none.

    Belongs to one event loop.
    """

    def __init__(self, broadcast: Broadcast) -> None:
        """Encodes nothing yet.

        Args:
            broadcast: the pictures.
        """
        self._broadcast = broadcast
        self._tracks: set[PacketTrack] = set()
        self._task: asyncio.Task[None] | None = None
        self._keyframe_wanted = False

    def add(self, track: PacketTrack) -> None:
        """Serve one more browser; harmless if it is served already."""
        if track in self._tracks:
            return
        self._tracks.add(track)
        self.want_keyframe()
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def remove(self, track: PacketTrack) -> None:
        """Serve one browser less."""
        self._tracks.discard(track)
        if not self._tracks and self._task is not None:
            self._task.cancel()
            self._task = None

    def want_keyframe(self) -> None:
        """A browser cannot go on without a key frame; granted a few times a second at most."""
        self._keyframe_wanted = True

    async def _run(self) -> None:
        # Its own: an encoder that was left in the middle of a picture may still be busy.
        coder = _Coder()
        keyframe_s = -_KEYFRAME_PAUSE_S
        number = 0
        try:
            while (picture := await self._broadcast.after(number)) is not None:
                number = picture.number
                now_s = time.monotonic()
                keyframe = self._keyframe_wanted and now_s - keyframe_s >= _KEYFRAME_PAUSE_S
                if keyframe:
                    self._keyframe_wanted, keyframe_s = False, now_s
                self._hand_out(await asyncio.to_thread(coder.encode, picture.frame, keyframe))
        except SinkError as error:
            logger.warning("WebRTC: %s", error)
        for track in list(self._tracks):
            track.stop()

    def _hand_out(self, encoded: list[EncodedPicture]) -> None:
        for picture in encoded:
            for track in self._tracks:
                if track.put(picture):
                    self._broadcast.sent += 1
                else:
                    self.want_keyframe()


class _Coder:
    """An encoder that follows the size of the pictures."""

    def __init__(self) -> None:
        self._encoder: H264Encoder | None = None
        self._size = (0, 0)

    def encode(self, frame: Frame, keyframe: bool) -> list[EncodedPicture]:  # noqa: FBT001 - for to_thread
        height, width = frame.image.shape[:2]
        if self._encoder is None or self._size != (width, height):
            self._encoder, self._size = H264Encoder(width, height, _SETTINGS), (width, height)
        if keyframe:
            self._encoder.request_keyframe()
        return self._encoder.encode(frame.image, frame.pts_ns)


class PictureTrack(ReportedTrack):
    """Pictures for one browser without H.264: aiortc encodes them for it alone."""

    kind = "video"

    def __init__(self, broadcast: Broadcast) -> None:
        super().__init__(TIME_BASE)
        self._broadcast = broadcast
        self._number = 0
        self._ticks = -1

    async def next(self) -> av.VideoFrame:
        """The newest picture, when aiortc is ready for one."""
        while (picture := await self._broadcast.after(self._number)) is not None:
            self._number = picture.number
            ticks = to_ticks(picture.frame.pts_ns, TIME_BASE)
            if ticks <= self._ticks:
                continue
            self._ticks = ticks
            video = await asyncio.to_thread(_to_video_frame, picture.frame)
            video.pts, video.time_base = ticks, TIME_BASE
            self._broadcast.sent += 1
            return video
        self.stop()
        raise MediaStreamError


def _to_video_frame(frame: Frame) -> av.VideoFrame:
    """As yuv420p, BT.601; of odd sizes the last row or column is left out."""
    height, width = (side // 2 * 2 for side in frame.image.shape[:2])
    video = av.VideoFrame(width, height, "yuv420p")
    yuv420.from_bgr(frame.image[:height, :width], yuv420.BT601, yuv420.views(video.planes))
    return video
