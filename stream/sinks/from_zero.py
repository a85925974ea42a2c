"""A recording that begins in the middle of a stream starts at zero."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from stream.frame import Frame, SourceInfo
from stream.sinks.video import VideoFile
from stream.timebase import to_ticks


class FromZero:
    """Passes frames on with times that count from the first one it gets, sound alike."""

    leaky = False

    def __init__(self, sink: VideoFile, info: SourceInfo) -> None:
        """Wraps a sink.

        Args:
            sink: made for the source, but with `origin_ns` 0.
            info: of the source itself.
        """
        self._sink = sink
        self._info = info
        self._first_ns: int | None = None
        self._first_sound = 0

    def __enter__(self) -> Self:
        self._sink.__enter__()
        return self

    def write(self, frame: Frame) -> None:
        """Writes one frame with its time shifted; sound from before the first is left out."""
        if self._first_ns is None:
            self._first_ns = frame.pts_ns
            if self._info.audio is not None:
                # Sound counts from the source's own zero, pictures from the source's first frame.
                zero_ns = self._info.origin_ns + frame.pts_ns
                self._first_sound = to_ticks(zero_ns, self._info.audio.time_base)
        moved = (packet.moved(-self._first_sound) for packet in frame.audio)
        audio = tuple(packet for packet in moved if packet.pts >= 0)
        self._sink.write(replace(frame, pts_ns=frame.pts_ns - self._first_ns, audio=audio))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sink.__exit__(kind, error, trace)
