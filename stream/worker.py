"""One stage on its thread: timed, restarted when it fails or hangs in a live run."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias, runtime_checkable

from stream.call import timed
from stream.frame import MOST_PACKETS, AudioPacket, Frame
from stream.late_start import LateStart
from stream.link import Link
from stream.report import StageMeter
from stream.timebase import NS_PER_S

Stage: TypeAlias = Callable[[Frame], Frame | None]
"""Takes a frame, returns the changed frame, or None to drop it. Called by one thread only."""

_log = logging.getLogger(__name__)

_RESTART_AFTER = 3
_RESTART_PAUSE_NS = 2 * NS_PER_S
_COMPLAIN_EVERY_NS = 10 * NS_PER_S


@runtime_checkable
class Restartable(Protocol):
    """A stage that can begin anew after it has failed."""

    def restart(self) -> None:
        """Forget everything and load what is needed again; raises what loading raises."""


@runtime_checkable
class Batching(Protocol):
    """A stage that does several frames at once for less than one after the other.

    Attributes:
        frames_at_once: how many in a lossless run. It always is that many, but for the last
            frames, so that a result never depends on how busy the machine was.
    """

    frames_at_once: int

    def many(self, frames: Sequence[Frame]) -> list[Frame]:
        """What calling the stage with each of the frames in their order would return."""


class Worker:
    """Takes frames from a link, calls the stage, and hands on what it returns.

    In a tolerant worker a stage that raises costs the frame, not the run: the stage is
    restarted when it fails again and again, and what lies behind sees no frames meanwhile. A
    stage that never returns can be given up by `give_up_if_hung`.

    Attributes:
        name: of the stage.
        inlet: where its frames come from.
        meter: time spent in the stage.
        tolerant: it goes on after a failure.
        left_out: frames that the stage itself dropped.
        failed: frames that were lost because the stage raised or hung.
        failure: why the stage fails now, None while it works.
    """

    def __init__(  # noqa: PLR0913 - both sides, and what to do when the stage fails
        self,
        name: str,
        stage: Stage,
        inlet: Link[Frame],
        put: Callable[[Frame], bool],
        end: Callable[[], None],
        *,
        tolerant: bool,
        late: LateStart | None = None,
        at_once: int = 1,
    ) -> None:
        """Keep what is needed; `run` is the body of the thread.

        Args:
            name: of the stage.
            stage: called by one thread at a time.
            inlet: aborted when the worker ends.
            put: hands a frame on; False when nobody takes any more.
            end: says that nothing more comes.
            tolerant: go on after a failure.
            late: tells how long to wait before taking the next frame; None: not at all.
            at_once: how many frames to take at a time; more than 1 for stages of `Batching`.
        """
        self.name = name
        self.inlet = inlet
        self.meter = StageMeter()
        self.left_out = self.failed = 0
        self.failure: Exception | None = None
        self._stage = stage
        self._put = put
        self._end = end
        self.tolerant = tolerant
        self._late = late
        self._at_once = at_once
        self._unheard: deque[AudioPacket] = deque(maxlen=MOST_PACKETS)
        self._in_hand: Sequence[Frame] = ()
        self._failures_in_a_row = 0
        self._restarted_ns = self._complained_ns = 0
        # A thread that hangs in the stage is told apart from its successor by its number.
        self._watching = threading.Lock()
        self._thread_number = 0
        self._busy_since_ns = 0

    def run(self) -> None:
        """Work until the link ends, nobody takes frames any more, or the stage fails."""
        mine = self._thread_number
        try:
            for frames in self.inlet.several(self._at_once):
                self._in_hand, self._busy_since_ns = frames, time.monotonic_ns()
                results = self._attempt(frames, mine)
                if not self._still(mine):
                    return
                if not all(map(self._hand_on, frames, results)):
                    return
        finally:
            if mine == self._thread_number:
                self.inlet.abort()
                self._end()

    def _hand_on(self, frame: Frame, result: Frame | None) -> bool:
        """Put a result on its way, or keep the sound of a frame that has none."""
        if result is None:
            self._unheard.extend(frame.audio)
            return True
        if self._unheard:
            self._unheard.extend(result.audio)
            result = replace(result, audio=tuple(self._unheard))
            self._unheard.clear()
        began_s = time.monotonic()
        if not self._put(result):
            return False
        if self._late is not None:
            self._late.handed_over(time.monotonic() - began_s)
            self.inlet.linger(self._late.linger_s)
        return True

    def give_up_if_hung(self, limit_s: float) -> bool:
        """Give up a call that has lasted too long, and the thread that is in it.

        Args:
            limit_s: longer than any call of a healthy stage.

        Returns:
            True if so: then `run` has to be started on another thread. The old one ends when
            the call returns, if ever.
        """
        with self._watching:
            since_ns = self._busy_since_ns
            if not since_ns or time.monotonic_ns() - since_ns < limit_s * NS_PER_S:
                return False
            self._thread_number += 1
            self._busy_since_ns = 0
        for frame in self._in_hand:
            self._unheard.extend(frame.audio)
        self.failed += 1
        self.failure = TimeoutError(f"no answer within {limit_s:g} s")
        self.failure.add_note(f"in '{self.name}'")
        _log.error("stage %s gave no answer within %g s and is started anew", self.name, limit_s)
        self._restart()
        return True

    def _still(self, mine: int) -> bool:
        with self._watching:
            if mine != self._thread_number:
                return False
            self._busy_since_ns = 0
            return True

    def _attempt(self, frames: Sequence[Frame], mine: int) -> Sequence[Frame | None]:
        try:
            with timed(self.name, frames, self.meter):
                results = self._results(frames)
        except Exception as error:
            if not self.tolerant:
                raise
            if mine == self._thread_number:
                self._failed(error)
            return [None] * len(frames)
        if mine == self._thread_number:
            self.left_out += sum(result is None for result in results)
            self._failures_in_a_row, self.failure = 0, None
        return results

    def _results(self, frames: Sequence[Frame]) -> Sequence[Frame | None]:
        if self._at_once > 1 and isinstance(self._stage, Batching):
            return self._stage.many(frames)
        return [self._stage(frame) for frame in frames]

    def _failed(self, error: Exception) -> None:
        self.failed += 1
        self.failure = error
        self._failures_in_a_row += 1
        now_ns = time.monotonic_ns()
        if now_ns - self._complained_ns >= _COMPLAIN_EVERY_NS or not self._complained_ns:
            self._complained_ns = now_ns
            _log.error("stage %s failed: %s", self.name, error)
        if self._failures_in_a_row >= _RESTART_AFTER:
            self._restart()

    def _restart(self) -> None:
        now_ns = time.monotonic_ns()
        if not isinstance(self._stage, Restartable):
            return
        if self._restarted_ns and now_ns - self._restarted_ns < _RESTART_PAUSE_NS:
            return
        self._restarted_ns = now_ns
        try:
            self._stage.restart()
        except Exception as error:  # noqa: BLE001 - the stage goes on failing, and says so
            _log.debug("stage %s cannot be restarted", self.name, exc_info=error)
