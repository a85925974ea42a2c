"""A live source that is lost now and then, and looked for until it is back."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Self

from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.health import Health, State
from stream.sources.joined_sound import JoinedSound
from stream.sources.settings import SourceSettings
from stream.sources.source import Source
from stream.sources.succession import Succession
from stream.timebase import NS_PER_S, to_ns, to_ticks

_log = logging.getLogger(__name__)

_POLL_S = 0.05
_STEADY_NS = NS_PER_S
"""A source that is lost again sooner was not back: nobody is told of each attempt."""


class Reconnecting:
    """Frames of one source after the other, on one clock.

    The first opening may fail, as that of any source. From then on an endless source that is
    lost, or that ends, is opened again until it works; so long the iteration waits. Sequence
    numbers and times go on: the gap in `pts_ns` is the time that has passed. Sound is shifted
    alike, and left out if its codec has changed. A picture of another size is passed on as it is.

    A source with an end of its own, such as a file on a server, is passed through; so is the
    end of a live stream which has become one. Without `SourceSettings.reconnect` the first loss
    is raised, and the first end is the end.
    """

    info: SourceInfo

    def __init__(self, open_: Callable[[], Source], settings: SourceSettings) -> None:
        """Open nothing yet.

        Args:
            open_: makes a source that is not entered yet; called for each attempt.
            settings: duration of an endless source, whether to reconnect, and how often.
        """
        self._sources = Succession(open_)
        self._settings = settings
        self._state: State = "connecting"
        self._detail = ""
        self._losses = self._sent = self._attempts = 0
        self._absence = _Absence()

    def __enter__(self) -> Self:
        source = self._sources.enter_next()
        self.info = source.info
        self._clock = _Continued(source.info)
        return self

    def __exit__(self, *_: object) -> None:
        self._sources.close()

    def stop(self) -> None:
        """Let opening, waiting and iterating end soon; from any thread, in signal handlers."""
        self._sources.stop()

    def health(self) -> Mapping[str, Health]:
        """How the connection is doing; from any thread."""
        return {self.info.url: Health(self._state, self._detail, self._losses, self._sent)}

    def __iter__(self) -> Iterator[Frame]:
        try:
            yield from self._until_duration()
        except SourceError:
            self._state = "failed"
            raise
        self._state = "ended"

    def _until_duration(self) -> Iterator[Frame]:
        limit_s = self._settings.duration_s if self.info.endless else None
        for frame in self._frames():
            if limit_s is not None and frame.pts_ns >= limit_s * NS_PER_S:
                return
            self._sent += 1
            yield frame

    def _frames(self) -> Iterator[Frame]:
        while (source := self._sources.source) is not None and not self._sources.stopped:
            again = source.info.endless and self._settings.reconnect
            lost = f"{self.info.url}: source lost: it has ended"
            try:
                for frame in source:
                    self._state, self._attempts = "running", 0
                    self._absence.seen(frame.captured_ns, self.info.url)
                    yield self._clock.continued(frame)
            except SourceError as error:
                if not again:
                    raise
                lost = str(error)
            if self._sources.stopped or not again:
                return
            self._losses += 1
            self._sources.close()
            self._absence.lost(lost)
            self._reopen(lost)

    def _reopen(self, lost: str) -> None:
        self._state, self._detail = "lost", lost
        while self._wait(self._delay_s()):
            try:
                source = self._sources.enter_next()
            except SourceError as error:
                self._detail = str(error)
                continue
            if not source.info.endless:
                # A live stream that has a length now is over.
                self._sources.close()
                return
            self._clock.begin(source.info)
            return

    def _delay_s(self) -> float:
        first_s, most_s = self._settings.retry_first_s, self._settings.retry_max_s
        self._attempts = min(self._attempts + 1, 30)
        delay_s = min(first_s * 2.0 ** (self._attempts - 1), most_s)
        # Not all at the same time, when many have lost the same server.
        return delay_s * random.uniform(0.5, 1)  # noqa: S311 - no secret

    def _wait(self, seconds: float) -> bool:
        until_s = time.monotonic() + seconds
        while not self._sources.stopped and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _POLL_S))
        return not self._sources.stopped


class _Absence:
    """Says once that a source is lost, and once that it is back."""

    def __init__(self) -> None:
        """The source is there."""
        self._announced = False
        self._last_ns: int | None = None
        self._back_ns: int | None = None
        self._away_ns = 0

    def lost(self, why: str) -> None:
        """It is lost, perhaps before it was back for good."""
        if not self._announced:
            _log.warning("%s; looking for it", why)
            self._announced, self._away_ns = True, 0
        self._back_ns = None

    def seen(self, captured_ns: int, url: str) -> None:
        """A picture has come."""
        if self._announced:
            if self._back_ns is None:
                self._back_ns = captured_ns
                self._away_ns += captured_ns - (self._last_ns or captured_ns)
            if captured_ns - self._back_ns >= _STEADY_NS:
                _log.warning("%s: back, after %.1f s without it", url, self._away_ns / NS_PER_S)
                self._announced, self._back_ns = False, None
        self._last_ns = captured_ns


class _Continued:
    """Moves frames and sound of each connection behind those of the one before."""

    def __init__(self, info: SourceInfo) -> None:
        """Take time base and sound for all connections from the first one."""
        self._tick = info.time_base
        self._sound, self._audio = JoinedSound(info.audio), info.audio
        self._seq = 0
        self._pts_ns = self._captured_ns = 0
        self._shift_ns: int | None = None

    def begin(self, info: SourceInfo) -> None:
        """Another connection."""
        self._shift_ns, self._audio = None, info.audio
        if self._sound.leaves_out(info.audio):
            _log.warning("%s: sound left out: its codec has changed", info.url)

    def continued(self, frame: Frame) -> Frame:
        """The frame with number, time and sound that follow the frame before."""
        if self._shift_ns is None:
            self._shift_ns = self._now_ns(frame) - frame.pts_ns
        pts_ns = frame.pts_ns + self._shift_ns
        if self._seq:
            pts_ns = max(pts_ns, self._pts_ns + to_ns(1, self._tick))
        self._pts_ns, self._captured_ns = pts_ns, frame.captured_ns
        audio = self._sound.joined(frame.audio, self._audio, self._shift_ns)
        moved = replace(frame, seq=self._seq, pts_ns=pts_ns, audio=audio)
        self._seq += 1
        return moved

    def _now_ns(self, frame: Frame) -> int:
        if not self._seq:
            return frame.pts_ns
        passed_ns = frame.captured_ns - self._captured_ns
        # Whole ticks, as all times of this source.
        return to_ns(to_ticks(self._pts_ns + passed_ns, self._tick), self._tick)
