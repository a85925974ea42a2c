"""Compressed sound of an input, packet by packet."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.stream import Stream

from stream.frame import AudioFormat, AudioPacket
from stream.timebase import fraction, to_ticks

_log = logging.getLogger(__name__)

_HEADER_FORMATS = ("matroska", "nut")  # The second for codecs that the first cannot name.
_DUMMY = bytes(16)  # A file without any packet cannot be opened again.


def describe(stream: AudioStream) -> AudioFormat | None:
    """Writes down all that a muxer needs to know to copy the stream's packets.

    PyAV builds a copied stream only from another stream, and that one dies with its
    container. So the codec parameters travel as the header of a tiny file.

    Returns:
        None, with a log message, when the codec is unknown or fits no header; video goes on
        without sound.
    """
    context = stream.codec_context
    if context is None or not context.sample_rate:
        _log.warning("sound left out: its codec or its sample rate is unknown")
        return None
    time_base = Fraction(1, context.sample_rate)
    if stream.time_base is not None:
        time_base = fraction(stream.time_base)
    for container in _HEADER_FORMATS:
        try:
            header = _header(stream, container)
        except (ValueError, av.error.FFmpegError):
            continue
        return AudioFormat(
            codec=context.codec.canonical_name,
            sample_rate=context.sample_rate,
            layout=context.layout.name,
            time_base=time_base,
            header=header,
        )
    _log.warning("sound left out: packets of codec %s cannot be copied", context.codec.name)
    return None


def _header(stream: AudioStream, container: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        copy = output.add_stream_from_template(stream)
        packet = av.Packet(_DUMMY)
        packet.pts = packet.dts = 0
        packet.duration = 1
        packet.time_base = fraction(stream.time_base or Fraction(1, 1000))
        packet.is_keyframe = True
        packet.stream = copy
        output.mux(packet)
    data = buffer.getvalue()
    with av.open(io.BytesIO(data)) as check:
        if check.streams.audio[0].codec_context.sample_rate != stream.codec_context.sample_rate:
            raise ValueError(f"{container} does not keep the sample rate")
    return data


class AudioTrack:
    """Collects the packets of one stream that belong to the wanted part of the file."""

    def __init__(
        self, audio: AudioFormat, zero_ns: int, start_ns: int | None, end_ns: int | None
    ) -> None:
        """Sets what is kept.

        Args:
            audio: describes the stream.
            zero_ns: time in the file that becomes 0 in the packets.
            start_ns: packets that end before this time in the file are left out; None keeps
                everything, the encoder's priming packet included.
            end_ns: packets that begin at or after this time in the file are left out; None
                keeps everything.
        """
        self._time_base = audio.time_base
        self._shift = to_ticks(zero_ns, audio.time_base)
        self._start = None if start_ns is None else to_ticks(start_ns, audio.time_base)
        self._end = None if end_ns is None else to_ticks(end_ns, audio.time_base)
        self._waiting: list[AudioPacket] = []

    def restart(self, zero_ns: int) -> None:
        """Sets another time to become 0, for packets that wait already too."""
        self._shift = to_ticks(zero_ns, self._time_base)

    def add(self, packet: av.Packet[Stream]) -> bool:
        """Keeps the packet's bytes when it belongs to the wanted part.

        Returns:
            False once the packets have passed the end.
        """
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None or not packet.size:
            return True
        pts = packet.pts if packet.pts is not None else dts
        duration = packet.duration or 0
        if self._end is not None and pts >= self._end:
            return False
        if self._start is None or pts + duration > self._start:
            self._waiting.append(AudioPacket(bytes(packet), pts, dts, duration))
        return True

    def take(self) -> tuple[AudioPacket, ...]:
        """Hands over what has been collected since the last call."""
        taken = tuple(
            replace(packet, pts=packet.pts - self._shift, dts=packet.dts - self._shift)
            for packet in self._waiting
        )
        self._waiting.clear()
        return taken
