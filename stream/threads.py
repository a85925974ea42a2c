"""Structured threads: none outlives its block, and the first failure wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class ThreadGroup:
    """Runs functions on threads and joins them all before its block is left.

    When one fails, `cancel` is called once so that the others can end; the first failure is
    raised from the block, and later ones are attached to it as notes.
    """

    _JOIN_POLL_S = 0.1

    def __init__(self, cancel: Callable[[], None]) -> None:
        """Make an empty group.

        Args:
            cancel: makes every thread of the group end soon. It may be called from any of
                them, and more than once.
        """
        self._cancel = cancel
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None

    def start(self, name: str, target: Callable[[], None]) -> threading.Thread:
        """Run `target` on a new thread of this name."""
        # A daemon only for the sake of those that are abandoned.
        thread = threading.Thread(target=self._run, args=(target,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def abandon(self, thread: threading.Thread) -> None:
        """Wait no more for a thread that hangs in native code; it dies with the process."""
        self._threads = [other for other in self._threads if other is not thread]

    def _run(self, target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001 - carried to the block's end
            self.fail(error)
            self._cancel()

    def fail(self, error: BaseException) -> None:
        """Record a failure without canceling the others."""
        with self._lock:
            if self._failure is None:
                self._failure = error
            else:
                self._failure.add_note(f"later also: {type(error).__name__}: {error}")

    @property
    def alive(self) -> bool:
        """True while any thread runs."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self, timeout_s: float) -> bool:
        """Wait for all threads, at most `timeout_s`; True when all have ended."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)
                break
        return not self.alive

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._cancel()
        interrupt = self._join_all()
        if self._failure is not None:
            if error is not None:
                self._failure.add_note(f"while leaving with: {type(error).__name__}: {error}")
            raise self._failure
        if interrupt is not None:
            raise interrupt

    def _join_all(self) -> KeyboardInterrupt | None:
        """Wait for every thread, whatever comes; returns the last Ctrl-C that came meanwhile."""
        interrupt = None
        joined = False
        while not joined:
            try:
                # In slices, which keep the main thread open to signals on every platform.
                joined = self.join(self._JOIN_POLL_S)
            except KeyboardInterrupt as again:
                interrupt = again
                self._cancel()
        return interrupt
