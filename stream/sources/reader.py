"""Demuxing and decoding of one open input."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from stream.errors import SourceError
from stream.frame import AudioFormat, AudioPacket
from stream.sources.audio import AudioTrack, describe
from stream.sources.failures import reason
from stream.sources.settings import SourceSettings
from stream.timebase import NS_PER_S, fraction, to_ns, to_ticks

_DEFAULT_RATE = Fraction(25)
_STEADY = Fraction(1, 100)  # Average and base rate of a constant-rate file agree this well.
_MISSING_NS = NS_PER_S  # Shorter than announced by more than this and 10 %: cut off.
_INTERLEAVE_NS = 2 * NS_PER_S  # Sound lags the picture in a file by less than this.


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, not converted yet.

    Attributes:
        frame: FFmpeg's frame.
        ticks: presentation time in the stream's time base; grows from picture to picture.
        arrived_ns: `time.monotonic_ns()` when the decoder handed it over.
        audio: packets demuxed since the previous picture.
    """

    frame: av.VideoFrame
    ticks: int
    arrived_ns: int
    audio: tuple[AudioPacket, ...]


class Reader:
    """Pictures and sound packets of one input, in presentation order.

    Damaged packets are left out and counted: `damage` tells about them after the last
    picture. The container stays open; its owner closes it.
    """

    def __init__(
        self,
        container: InputContainer,
        name: str,
        settings: SourceSettings,
        *,
        live: bool,
    ) -> None:
        """Chooses the streams.

        Args:
            container: open input.
            name: for messages.
            settings: threads, whether to read sound, how long a live input may stay silent.
            live: decode for the shortest delay; missing timestamps become arrival times.

        Raises:
            SourceError: no video stream, or one that cannot be decoded.
        """
        self._container = container
        self._name = name
        self._live = live
        self._silence_ns = round(settings.read_timeout_s * NS_PER_S)
        self.video = _video_stream(container, name)
        # Frame threads hold back one picture for every thread.
        self.video.thread_type = "SLICE" if live else "AUTO"
        self.video.thread_count = settings.threads
        base = self.video.time_base
        self.time_base = Fraction(1, 90_000) if base is None else fraction(base)
        self.rate = _steady_rate(self.video)
        self.zero_ns = (container.start_time or 0) * 1000
        self.audio: AudioFormat | None = None
        self._track: AudioTrack | None = None
        streams: list[Stream] = [self.video]
        if settings.audio and container.streams.audio:
            sound = container.streams.audio[0]
            self.audio = describe(sound)
            if self.audio is not None:
                streams.append(sound)
        self._packets = container.demux(streams)
        self._first_damage: str | None = None
        self._broken = False
        self._decoded = 0
        self._passed_ns = 0
        self._last_ticks: int | None = None
        self._last_arrived_ns = time.monotonic_ns()

    def pictures(
        self, start_ns: int | None = None, end_ns: int | None = None
    ) -> Generator[Picture, None, None]:
        """Decodes from a time on; ends before another.

        Args:
            start_ns: first time wanted, None for all; times count from `zero_ns`.
            end_ns: first time not wanted any more, None for all.

        Yields:
            Pictures; sound that follows the last one waits in `trailing_audio`.

        Raises:
            SourceError: a live input is lost.
        """
        start = None if start_ns is None else self.zero_ns + start_ns
        end = None if end_ns is None else self.zero_ns + end_ns
        if self.audio is not None:
            zero_ns = self.zero_ns if start is None else start
            self._track = AudioTrack(self.audio, zero_ns, start, None if self._live else end)
        for frame in self._frames():
            arrived_ns = time.monotonic_ns()
            first = self._last_ticks is None
            ticks = self._stamp(frame, arrived_ns)
            now_ns = to_ns(ticks, self.time_base)
            if self._live and first:
                self._begin_at(now_ns)
                end = None if end_ns is None else self.zero_ns + end_ns
            if end is not None and now_ns >= end:
                if not self._live:
                    self._read_audio_until(end)
                return
            if start is None or now_ns >= start:
                yield Picture(frame, ticks, arrived_ns, self.trailing_audio())

    def trailing_audio(self) -> tuple[AudioPacket, ...]:
        """Sound packets that no picture has taken along yet."""
        return () if self._track is None else self._track.take()

    def damage(self, *, whole: bool) -> str | None:
        """Says what was wrong with the data so far.

        Args:
            whole: everything has been read, so that a missing end counts.
        """
        if self._first_damage is None and whole and self._ends_early():
            missing_s = (self._container.duration or 0) / 1e6
            return (
                f"{self._name}: ends after frame {self._decoded - 1}, at "
                f"{self._passed_ns / NS_PER_S:.3f} s of {missing_s:.3f} s; the file was cut short"
            )
        return self._first_damage

    def _begin_at(self, zero_ns: int) -> None:
        # A live clock started long ago, or with packets that were left out to catch up.
        self.zero_ns = zero_ns
        if self._track is not None:
            self._track.restart(zero_ns)

    def _frames(self) -> Iterator[av.VideoFrame]:
        for packet in self._demuxed():
            decoded = False
            if packet.stream.index == self.video.index:
                for frame in self._decode(packet):
                    decoded = True
                    yield frame
            elif self._track is not None:
                self._track.add(packet)
            if self._live and not decoded:
                self._check_silence()
        if self._broken:
            # At a clean end the demuxer itself makes the decoder give out what it still holds.
            yield from self.video.decode(None)

    def _decode(self, packet: av.Packet[Stream]) -> Iterator[av.VideoFrame]:
        if packet.is_corrupt:
            self._note("data is missing")
        try:
            frames = self.video.decode(packet)
        except av.error.FFmpegError as error:
            self._note(reason(error))
            return
        for frame in frames:
            # A recording that begins between key frames is no damage.
            if frame.is_corrupt and self._decoded:
                self._note("a picture is partly lost")
            self._decoded += 1
            yield frame

    def _demuxed(self) -> Iterator[av.Packet[Stream]]:
        while True:
            try:
                packet = next(self._packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                if self._live:
                    raise SourceError(f"{self._name}: source lost: {reason(error)}") from error
                self._note(reason(error))
                self._broken = True
                return
            if packet.pts is not None and packet.stream.time_base is not None:
                ends = packet.pts + (packet.duration or 0)
                passed_ns = to_ns(ends, fraction(packet.stream.time_base)) - self.zero_ns
                self._passed_ns = max(self._passed_ns, passed_ns)
            yield packet

    def _check_silence(self) -> None:
        # The read timeout cannot see this: bytes arrive, but none that make a picture.
        silent_ns = time.monotonic_ns() - self._last_arrived_ns
        if silent_ns > self._silence_ns:
            raise SourceError(
                f"{self._name}: source lost: no picture for {silent_ns / NS_PER_S:.1f} s"
            )

    def _read_audio_until(self, end_ns: int) -> None:
        for packet in self._demuxed():
            if packet.stream.index != self.video.index:
                if self._track is None or not self._track.add(packet):
                    return
            elif packet.dts is not None and to_ns(packet.dts, self.time_base) > (
                end_ns + _INTERLEAVE_NS
            ):
                return

    def _stamp(self, frame: av.VideoFrame, arrived_ns: int) -> int:
        ticks, last = frame.pts, self._last_ticks
        if ticks is None and last is None:
            ticks = to_ticks(self.zero_ns, self.time_base)
        elif ticks is None and last is not None:
            gap_ns = round(NS_PER_S / (self.rate or _DEFAULT_RATE))
            if self._live:
                gap_ns = arrived_ns - self._last_arrived_ns
            ticks = last + to_ticks(gap_ns, self.time_base)
        assert ticks is not None
        if last is not None:
            ticks = max(ticks, last + 1)
        self._last_ticks, self._last_arrived_ns = ticks, arrived_ns
        return ticks

    def _note(self, what: str) -> None:
        if self._first_damage is None:
            self._first_damage = (
                f"{self._name}: damaged after frame {max(self._decoded - 1, 0)} ({what}); "
                "everything that could be decoded was used"
            )

    def _ends_early(self) -> bool:
        announced_ns = (self._container.duration or 0) * 1000
        missing_ns = announced_ns - self._passed_ns
        return missing_ns > max(_MISSING_NS, announced_ns // 10)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    # Cover art of a music file is a video stream of one picture.
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        kinds = sorted({str(stream.type) for stream in container.streams}) or ["nothing"]
        raise SourceError(f"{name}: no video in it, only {', '.join(kinds)}")
    video = streams[0]
    if video.codec_context is None:
        raise SourceError(f"{name}: no decoder for its video codec")
    return video


def _steady_rate(video: VideoStream) -> Fraction | None:
    if not video.average_rate or not video.base_rate:
        return None
    average, base = fraction(video.average_rate), fraction(video.base_rate)
    return average if abs(average - base) <= base * _STEADY else None
