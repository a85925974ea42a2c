"""Sender reports that let browsers play sound and pictures of the same moment together.

A sender report (RFC 3550) pairs a stream's timestamp with the time of day. aiortc takes the time
when it sent a packet, but sound and pictures leave at different distances from their moment. So
the time of day is worked out from the source's clock, which both have in common.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from fractions import Fraction
from typing import Any, TypeAlias

import av
from aiortc import RTCRtpSender
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket

from stream.timebase import NS_PER_S, to_ns

_NTP_EPOCH_S = 2_208_988_800  # 1970 on NTP's scale, which begins in 1900.

Medium: TypeAlias = "av.Packet[Any] | av.VideoFrame"


class ReportedTrack(MediaStreamTrack):
    """A track that knows how far aiortc has sent it.

    Attributes:
        sent_ns: presentation time of the last packet sent; None while one is being sent.
    """

    def __init__(self, time_base: Fraction) -> None:
        """Takes the time base of what `next` returns."""
        super().__init__()
        self._time_base = time_base
        self._given_ns: int | None = None
        self.sent_ns: int | None = None

    async def recv(self) -> Medium:
        """Called by aiortc, which has then sent what it got before."""
        self.sent_ns = self._given_ns
        medium = await self.next()
        assert medium.pts is not None, "all media have a time"
        self.sent_ns, self._given_ns = None, to_ns(medium.pts, self._time_base)
        return medium

    @abstractmethod
    async def next(self) -> Medium:
        """The next packet, or picture to be encoded; raises MediaStreamError at the end."""


class SourceClock:
    """What time of day it was at the source's presentation times."""

    def __init__(self) -> None:
        """Set by the first time that is asked for."""
        self._zero_ns: int | None = None

    def ntp(self, pts_ns: int) -> int:
        """The time of day in NTP's 32.32 bit format."""
        if self._zero_ns is None:
            self._zero_ns = time.time_ns() - pts_ns
        seconds, ns = divmod(self._zero_ns + pts_ns, NS_PER_S)
        return ((seconds + _NTP_EPOCH_S) << 32) | ((ns << 32) // NS_PER_S)


def report_source_times(sender: RTCRtpSender, clock: SourceClock) -> None:
    """Let a sender's reports tell the source's times.

    Args:
        sender: of aiortc, with a `ReportedTrack` if it sends anything; not sending yet.
        clock: shared by all senders whose media belong together.
    """
    track = sender.track
    if not isinstance(track, ReportedTrack):
        return
    send = sender._send_rtcp  # noqa: SLF001 - aiortc has no public place for it

    async def on_clock(packets: list[AnyRtcpPacket]) -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                if track.sent_ns is None:
                    return  # The next report comes in a second.
                packet.sender_info.ntp_timestamp = clock.ntp(track.sent_ns)
        await send(packets)

    sender._send_rtcp = on_clock  # type: ignore[method-assign]  # noqa: SLF001 - see above
