"""A file that begins again when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Self

from stream.errors import ConfigError
from stream.frame import Frame, SourceInfo
from stream.sources.joined_sound import JoinedSound
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
        tick, sound = self.info.time_base, JoinedSound(self.info.audio)
        frame_ns = round(NS_PER_S / (self.info.rate or _DEFAULT_RATE))
        seq, begins_ns = 0, 0
        while (source := self._sources.source) is not None:
            pts_ns, began = begins_ns, seq
            for frame in source:
                pts_ns = begins_ns + frame.pts_ns
                audio = sound.joined(frame.audio, source.info.audio, begins_ns)
                yield replace(frame, seq=seq, pts_ns=pts_ns, audio=audio)
                seq += 1
            if self._sources.stopped or seq == began:
                return
            # Whole ticks, as all times of this source.
            begins_ns = to_ns(to_ticks(pts_ns + frame_ns, tick), tick)
            self._sources.close()
            self._sources.enter_next()
