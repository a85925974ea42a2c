"""A file that begins again when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Self

from stream.errors import ConfigError
from stream.frame import AudioPacket, Frame, SourceInfo
from stream.sources.source import Source
from stream.sources.succession import Succession
from stream.timebase import NS_PER_S, to_ns, to_ticks

_DEFAULT_RATE = Fraction(25)


class Looping:
    """Frames of a file over and over, on one clock, until it is stopped.

    Numbers and times go on from pass to pass, one frame's time apart, and sound with them.
    """

    info: SourceInfo

    def __init__(self, open_: Callable[[], Source]) -> None:
        """Open nothing yet.

        Args:
            open_: makes a source that is not entered yet; called for each pass.
        """
        self._sources = Succession(open_)
        self._last_dts: int | None = None

    def __enter__(self) -> Self:
        """Open the first pass.

        Raises:
            SourceError: it cannot be opened.
            ConfigError: it is live.
        """
        source = self._sources.enter_next()
        if source.info.endless:
            self._sources.close()
            raise ConfigError(f"--loop: {source.info.url} has no end; leave --loop out")
        self.info = replace(source.info, frames=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._sources.close()

    def stop(self) -> None:
        """End soon; from any thread, in signal handlers."""
        self._sources.stop()

    def __iter__(self) -> Iterator[Frame]:
        tick = self.info.time_base
        frame_ns = round(NS_PER_S / (self.info.rate or _DEFAULT_RATE))
        seq, begins_ns = 0, 0
        while (source := self._sources.source) is not None:
            pts_ns, began = begins_ns, seq
            for frame in source:
                pts_ns = begins_ns + frame.pts_ns
                audio = self._moved(frame.audio, begins_ns)
                yield replace(frame, seq=seq, pts_ns=pts_ns, audio=audio)
                seq += 1
            if self._sources.stopped or seq == began:
                return
            # Whole ticks, as all times of this source.
            begins_ns = to_ns(to_ticks(pts_ns + frame_ns, tick), tick)
            self._sources.close()
            self._sources.enter_next()

    def _moved(self, packets: tuple[AudioPacket, ...], by_ns: int) -> tuple[AudioPacket, ...]:
        if self.info.audio is None:
            return ()
        shift = to_ticks(by_ns, self.info.audio.time_base)
        moved = []
        for packet in packets:
            dts = packet.dts + shift
            if self._last_dts is None or dts > self._last_dts:  # else it overlaps the pass before
                self._last_dts = dts
                moved.append(replace(packet, pts=packet.pts + shift, dts=dts))
        return tuple(moved)
