"""Sound on its way out by WebRTC: decoded and encoded once for all browsers that want it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError

from stream.errors import SinkError
from stream.frame import AudioFormat
from stream.web.broadcast import Broadcast, Heard
from stream.web.rtc_reports import ReportedTrack
from stream.web.sound_coder import TIME_BASE, EncodedSound, SoundCoder

logger = logging.getLogger(__name__)

_PERIOD_S = 0.02
_LONGEST_QUEUE = 25


class SoundTrack(ReportedTrack):
    """One browser's share of a `SharedSound`."""

    kind = "audio"

    def __init__(self, sound: SharedSound) -> None:
        super().__init__(TIME_BASE)
        self._sound = sound
        self._packets: deque[EncodedSound] = deque(maxlen=_LONGEST_QUEUE)
        self._came = asyncio.Event()

    async def next(self) -> av.Packet[Any]:
        """The next packet; called by aiortc, for the first time when the connection is up."""
        self._sound.add(self)
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._came.clear()
            await self._came.wait()
        sound = self._packets.popleft()
        packet: av.Packet[Any] = av.Packet(sound.data)
        packet.pts, packet.time_base = sound.pts, TIME_BASE
        return packet

    def put(self, sound: EncodedSound) -> None:
        """Take a packet; the oldest goes if too many wait."""
        self._packets.append(sound)
        self._came.set()

    def stop(self) -> None:
        """End; called by aiortc when the connection closes."""
        super().stop()
        self._sound.remove(self)
        self._came.set()


class SharedSound:
    """Decodes and encodes the sound once for all its tracks, and nothing while there are none.

    Belongs to one event loop.
    """

    def __init__(self, broadcast: Broadcast, audio: AudioFormat) -> None:
        """Does nothing yet.

        Args:
            broadcast: where the sound comes from.
            audio: its format.
        """
        self._broadcast = broadcast
        self._audio = audio
        self._tracks: set[SoundTrack] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, track: SoundTrack) -> None:
        """Serve one more browser; harmless if it is served already."""
        self._tracks.add(track)
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def remove(self, track: SoundTrack) -> None:
        """Serve one browser less."""
        self._tracks.discard(track)

    async def _run(self) -> None:
        heard: list[Heard] = []
        self._broadcast.hear = heard.append
        try:
            coder = await asyncio.to_thread(SoundCoder, self._audio)
            # Not cancelled when the last track goes: the coder may be busy in its thread.
            while self._tracks:
                fresh = heard.copy()
                heard.clear()
                for sound in await asyncio.to_thread(coder.step, fresh, time.monotonic_ns()):
                    for track in self._tracks:
                        track.put(sound)
                await asyncio.sleep(_PERIOD_S)
        except SinkError as error:
            logger.warning("WebRTC: %s", error)
            for track in list(self._tracks):
                track.stop()
        finally:
            self._broadcast.hear = None
            self._task = None
