"""Ending FFmpeg calls that wait: when somebody says so, and when they take too long."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

import av.container.core

T = TypeVar("T")

_EON_S = 1e9
_POLL_S = 0.05


class _Clock(threading.local):
    # Looked up without running any Python on threads that wait for nothing here. On the main
    # thread Python would run its signal handlers in it, where exceptions are lost.
    monotonic = staticmethod(time.monotonic)


_clock = _Clock()
# While FFmpeg waits, it asks ten times a second whether to go on, and PyAV answers by holding
# `time.monotonic()` against its timeout. It has no other way in, so it gets a clock here that
# runs away on a thread which is to give up. A PyAV without this name keeps its timeouts.
if hasattr(av.container.core, "time"):
    setattr(av.container.core, "time", _clock)  # noqa: B010 - no name that type checkers know


class Interruption:
    """Makes the waiting FFmpeg calls of one input give up within about 100 ms.

    PyAV reports that as any of its errors: who has called looks at `stopped`, or at the time.

    Attributes:
        stopped: somebody wants no more of this input.
        descriptor: of a device in which FFmpeg does not ask whether to go on, so that it must
            only read from it when there is data.
    """

    def __init__(self) -> None:
        # A plain flag: an event has a lock, and signal handlers interrupt each other.
        self.stopped = False
        self.descriptor: int | None = None

    def stop(self) -> None:
        """Let all calls give up, now and later; from any thread, safe in signal handlers."""
        self.stopped = True

    @contextmanager
    def within(self, patience_s: float) -> Iterator[None]:
        """FFmpeg calls of this thread give up when stopped or after that time.

        On the main thread they keep their own timeouts only; see `on_a_thread`.

        Args:
            patience_s: 0 or more seconds, for all calls in this block together.
        """
        if threading.current_thread() is threading.main_thread():
            yield
            return
        until_s, ahead_s = time.monotonic() + patience_s, 0.0

        def monotonic() -> float:
            nonlocal ahead_s
            now_s = time.monotonic()
            if self.stopped or now_s > until_s:
                # Further with each call: the first one may only start PyAV's own timeout.
                ahead_s += _EON_S
            return now_s + ahead_s

        _clock.monotonic = monotonic  # in this thread only
        try:
            yield
        finally:
            del _clock.monotonic

    def has_data(self) -> bool:
        """False if a device had no data for 50 ms; True for other inputs, and when stopped."""
        if self.descriptor is None or self.stopped:
            return True
        device = select.poll()
        device.register(self.descriptor, select.POLLIN)
        # A device that is gone is as good as one with data: reading tells what happened.
        return bool(device.poll(_POLL_S * 1000))

    def on_a_thread(self, function: Callable[[], T]) -> T:
        """Call a function so that Ctrl-C ends its waiting, too.

        Python only looks at signals between its own steps on the main thread; so what waits in
        FFmpeg has to do so elsewhere.
        """
        if threading.current_thread() is not threading.main_thread():
            return function()
        outcome: Future[T] = Future()

        def work() -> None:
            try:
                outcome.set_result(function())
            except BaseException as error:  # noqa: BLE001 - raised by who waits for it
                outcome.set_exception(error)

        thread = threading.Thread(target=work, name="facestream-open")
        thread.start()
        interrupted: BaseException | None = None
        while thread.is_alive():
            try:
                thread.join(_POLL_S)
            except BaseException as error:  # noqa: BLE001 - raised once the thread has ended
                interrupted = error
                self.stop()
        if interrupted is not None:
            raise interrupted
        return outcome.result()
