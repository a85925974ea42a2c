"""Demuxing and decoding of one open input."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import av
from av.container import InputContainer
from av.format import Flags
from av.stream import Stream

from stream.frame import AudioFormat, AudioPacket
from stream.sources.audio import AudioTrack, describe
from stream.sources.failures import reason
from stream.sources.interruption import Interruption
from stream.sources.packets import Packets, owned
from stream.sources.picture_clock import PictureClock
from stream.sources.settings import SourceSettings
from stream.sources.streams import live_rate, steady_rate, video_stream
from stream.timebase import NS_PER_S, fraction, to_ns, to_ticks

_MISSING_NS = NS_PER_S  # Shorter than announced by more than this and 10 %: cut off.
_INTERLEAVE_NS = 2 * NS_PER_S  # Sound lags the picture in a file by less than this.
_ARRIVAL_TIME_BASE = Fraction(1, 90_000)
_AT_ONCE_NS = 3_000_000  # Who reads for less long did not wait for a camera.
_BACKLOG_NS = 3 * NS_PER_S


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, not converted yet.

    Attributes:
        frame: FFmpeg's frame.
        ticks: presentation time in the stream's time base; grows from picture to picture.
        arrived_ns: `time.monotonic_ns()` when the decoder handed it over.
        waited_ns: how long its data was waited for.
        audio: packets demuxed since the previous picture.
    """

    frame: av.VideoFrame
    ticks: int
    arrived_ns: int
    waited_ns: int
    audio: tuple[AudioPacket, ...] = ()


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
        interruption: Interruption,
    ) -> None:
        """Chooses the streams.

        Args:
            container: open input.
            name: for messages.
            settings: threads, whether to read sound, how long a live input may stay silent.
            live: decode for the shortest delay; missing timestamps become arrival times.
            interruption: ends `pictures`, on any thread but the main one.

        Raises:
            SourceError: no video stream, or one that cannot be decoded.
        """
        self._container = container
        self._name = name
        self._live = live
        self.video = video_stream(container, name)
        # Frame threads hold back one picture for every thread.
        self.video.thread_type = "SLICE" if live else "AUTO"
        # NVDEC does the work where it is asked to; threads of ours would hold pictures for nothing.
        hardware = self.video.codec_context.is_hwaccel
        self.video.thread_count = 1 if hardware else settings.threads
        base = self.video.time_base
        timed = not (live and Flags(container.format.flags) & Flags.no_timestamps)
        self.time_base = _ARRIVAL_TIME_BASE if base is None or not timed else fraction(base)
        self.rate = live_rate(self.video) if live else steady_rate(self.video)
        self.zero_ns = (container.start_time or 0) * 1000
        self._clock = PictureClock(
            self.time_base,
            to_ticks(self.zero_ns, self.time_base),
            self.rate,
            live=live,
            timed=timed,
        )
        self.audio: AudioFormat | None = None
        self._track: AudioTrack | None = None
        streams: list[Stream] = [self.video]
        if settings.audio and container.streams.audio:
            sound = container.streams.audio[0]
            self.audio = describe(sound)
            if self.audio is not None:
                streams.append(sound)
        packets = cast("Generator[av.Packet[Stream], None, None]", container.demux(streams))
        self._packets = Packets(
            owned(packets) if "v4l2" in container.format.name else packets,
            name,
            settings.read_timeout_s,
            live=live,
            interruption=interruption,
        )
        self._first_damage: str | None = None
        self._decoded = 0
        self._passed_ns = 0

    def pictures(
        self, start_ns: int | None = None, end_ns: int | None = None, *, newest: bool = False
    ) -> Generator[Picture, None, None]:
        """Decodes from a time on; ends before another, or when interrupted.

        Args:
            start_ns: first time wanted, None for all; times count from `zero_ns`.
            end_ns: first time not wanted any more, None for all, as for live inputs.
            newest: leave out what a live input has in store, and begin where it waits.

        Yields:
            Pictures; sound that follows the last one waits in `trailing_audio`.

        Raises:
            SourceError: a live input is lost.
        """
        start = None if start_ns is None else self.zero_ns + start_ns
        end = None if end_ns is None else self.zero_ns + end_ns
        if self.audio is not None:
            zero_ns = self.zero_ns if start is None else start
            self._track = AudioTrack(self.audio, zero_ns, start, end)
        begun = not self._live
        for picture in self._newest() if newest else self._pictures():
            now_ns = to_ns(picture.ticks, self.time_base)
            if not begun:
                begun = True
                self._begin_at(now_ns)
            if end is not None and now_ns >= end:
                self._read_audio_until(end)
                return
            if start is None or now_ns >= start:
                yield replace(picture, audio=self.trailing_audio())

    def close(self) -> None:
        """Read no more; the owner of the container closes that next."""
        self._packets.close()

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
        self._restart_track()

    def _restart_track(self) -> None:
        if self._track is not None:
            self._track.restart(self.zero_ns - to_ns(self._clock.shift, self.time_base))

    def _newest(self) -> Iterator[Picture]:
        # While the input was examined, and where a server begins with the last key frame, old
        # pictures pile up. Shown one after the other they would delay all that follow.
        pictures = self._pictures()
        oldest = newest = next(pictures, None)
        while oldest is not None and newest is not None and newest.waited_ns < _AT_ONCE_NS:
            stored_ns = to_ns(newest.ticks - oldest.ticks, self.time_base)
            following = next(pictures, None) if stored_ns <= _BACKLOG_NS else None
            if following is None:
                break
            self.trailing_audio()
            newest = following
        if newest is not None:
            yield newest
            yield from pictures

    def _pictures(self) -> Iterator[Picture]:
        for frame in self._frames():
            arrived_ns = time.monotonic_ns()
            shift = self._clock.shift
            ticks = self._clock.stamp(frame.pts, arrived_ns)
            if self._clock.shift != shift:
                self._restart_track()
            yield Picture(frame, ticks, arrived_ns, self._packets.read_ns)
            self._packets.want_picture()

    def _frames(self) -> Iterator[av.VideoFrame]:
        for packet in self._demuxed():
            if packet.stream.index == self.video.index:
                yield from self._decode(packet)
            elif self._track is not None:
                self._track.add(packet)
        if self._packets.broken is not None:
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
        for packet in self._packets:
            if packet.pts is not None and packet.stream.time_base is not None:
                ends = packet.pts + (packet.duration or 0)
                passed_ns = to_ns(ends, fraction(packet.stream.time_base)) - self.zero_ns
                self._passed_ns = max(self._passed_ns, passed_ns)
            yield packet
        if self._packets.broken is not None:
            self._note(self._packets.broken)

    def _read_audio_until(self, end_ns: int) -> None:
        for packet in self._demuxed():
            if packet.stream.index != self.video.index:
                if self._track is None or not self._track.add(packet):
                    return
            elif packet.dts is not None and to_ns(packet.dts, self.time_base) > (
                end_ns + _INTERLEAVE_NS
            ):
                return

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
