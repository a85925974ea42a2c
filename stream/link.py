"""The bounded queue between two stages."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LinkStats:
    """What went over a link so far.

    Attributes:
        passed: items that were taken out.
        dropped: items that a leaky link left out for newer ones.
        waiting: items inside now.
        peak: the most items that ever waited.
        capacity: the most items that may wait.
    """

    passed: int
    dropped: int
    waiting: int
    peak: int
    capacity: int


class Link(Generic[T]):
    """First in, first out, between one writer and one reader, never longer than `capacity`.

    A full link makes its writer wait; a full *leaky* link drops its oldest item instead, so
    that the newest picture wins. Iteration ends when the writer has called `end` and all is
    taken, or at once after `abort`.
    """

    def __init__(
        self,
        capacity: int,
        *,
        leaky: bool = False,
        hand_over: bool = False,
        hand_on: Callable[[T, T], T] | None = None,
    ) -> None:
        """Make an empty link.

        Args:
            capacity: the most items that may wait, at least 1.
            leaky: drop the oldest item instead of waiting.
            hand_over: `put` returns when the item has been taken. The writer then begins
                nothing that would grow old while it waits for the reader.
            hand_on: called as `hand_on(dropped, next)` for each dropped item; what it
                returns takes the place of `next`. It saves what must outlive a picture.
        """
        if capacity < 1:
            raise ValueError(f"a link needs a capacity of at least 1, got {capacity}")
        if leaky and hand_over:
            raise ValueError("a leaky link waits for nobody: it cannot hand over as well")
        self._capacity = capacity
        self._leaky = leaky
        self._hand_over = hand_over
        self._hand_on = hand_on
        self._items: deque[T] = deque()
        # One condition guards everything. Its lock is reentrant because a signal handler may
        # call end() or abort() on the very thread that is reading the statistics.
        self._changed = threading.Condition()
        self._ended = False
        self._aborted = False
        self._passed = self._dropped = self._peak = 0

    def put(self, item: T) -> bool:
        """Add an item; wait for room, or make room on a leaky link.

        Returns:
            False if the link takes no more, because it was ended or aborted: the writer may
            stop, and its item may have gone nowhere.
        """
        with self._changed:
            if not self._leaky:
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                return False
            while len(self._items) >= self._capacity:
                item = self._drop_oldest(item)
            self._items.append(item)
            self._peak = max(self._peak, len(self._items))
            self._changed.notify_all()
            if self._hand_over:
                self._changed.wait_for(lambda: not self._items or self._closed)
            return not self._aborted

    def _drop_oldest(self, incoming: T) -> T:
        dropped = self._items.popleft()
        self._dropped += 1
        if self._hand_on is None:
            return incoming
        if self._items:
            self._items[0] = self._hand_on(dropped, self._items[0])
            return incoming
        return self._hand_on(dropped, incoming)

    def __iter__(self) -> Iterator[T]:
        """Take items until the end of the stream; the reader's side."""
        for taken in self.several(1):
            # Out of the list at once: nothing keeps the last picture alive while waiting.
            yield taken.pop()

    def several(self, count: int) -> Iterator[list[T]]:
        """Take `count` items at a time, fewer only at the end; the reader's side.

        Args:
            count: at most the capacity, because more never wait.
        """
        while (taken := self._take(None, count)) is not None:
            yield taken

    def poll(self, patience_s: Callable[[], float | None]) -> Iterator[T | None]:
        """Take items until the end of the stream, and None whenever waiting takes too long.

        Args:
            patience_s: asked before each wait how long it may take; None is for ever.
        """
        while (taken := self._take(patience_s(), 1)) is not None:
            yield taken.pop() if taken else None

    def _take(self, timeout_s: float | None, count: int) -> list[T] | None:
        """Items, none if not enough came in time, or None at the end."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: len(self._items) >= count or self._closed, timeout_s
            )
            if not came:
                return []
            if self._aborted or not self._items:
                return None
            taken = [self._items.popleft() for _ in range(min(count, len(self._items)))]
            self._passed += len(taken)
            self._changed.notify_all()
            return taken

    def linger(self, seconds: float) -> None:
        """Wait, but not beyond the end of the stream; the reader's side."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    @property
    def _closed(self) -> bool:
        return self._ended or self._aborted

    def end(self) -> None:
        """Say that nothing more comes; what waits is still delivered. Any thread may say it."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Empty the link and release both sides at once."""
        with self._changed:
            self._aborted = True
            self._items.clear()
            self._changed.notify_all()

    @property
    def stats(self) -> LinkStats:
        """A consistent snapshot of the counters."""
        with self._changed:
            return LinkStats(
                passed=self._passed,
                dropped=self._dropped,
                waiting=len(self._items),
                peak=self._peak,
                capacity=self._capacity,
            )
