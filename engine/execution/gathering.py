"""One batch of what several threads ask for at the same time, without a thread of its own.

The method is databases' group commit: whoever finds nobody running leads, and whoever comes
meanwhile waits for the next leader to take its rows along. An idle device is used at once, and
batches grow with the load by themselves.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import one_line

Array: TypeAlias = NDArray[np.floating]
Run: TypeAlias = Callable[[list[str], Mapping[str, Array]], list[Array]]
"""Names of the wanted outputs, and input name to rows; returns an array for each name."""

_PATIENCE_S: Final = 2.5
"""A run that takes longer may hang; a live stream gives one of its stages up after four times as
long, and those who wait have to be on their way before that."""

logger = logging.getLogger(__name__)


class Gathering:
    """Runs a model for any number of threads, one batch at a time, first come first served.

    A thread that finds nobody running runs at once. The others wait, without the GIL; when the run
    ends, the first of them runs its rows together with those of all behind it that fit: the same
    outputs and shapes, and no more rows than allowed. Nobody waits for company.

    A gathered run that fails is done again one by one, so that each caller gets what it would get
    alone: a larger batch can fail where a single face does not (memory), and an error belongs to
    one thread, which notes its own frame on it. From then on fewer rows are gathered.

    A leader whose thread is interrupted hands its followers back. One that does not come back at
    all is deposed by those who wait: the next one leads, beside it.

    Attributes:
        runs: how many runs were begun.
        rows: how many rows they had, all together.
    """

    def __init__(self, run: Run, most_rows: int, patience_s: float = _PATIENCE_S) -> None:
        """Keep what runs the model.

        Args:
            run: called by one thread at a time, but for those whose call hangs.
            most_rows: are gathered; a single caller may bring more.
            patience_s: how long the others wait for a run before one of them goes on beside it.
        """
        self.runs = self.rows = 0
        self._run = run
        self._most_rows = most_rows
        self._patience_s = patience_s
        # Guards all of the following, and what it says of requests.
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()
        # None exactly while nobody waits or runs. Until it begins, it is the first that waits.
        self._leader: _Request | None = None

    @property
    def waiting(self) -> int:
        """How many callers' rows wait for a run to begin."""
        return len(self._waiting)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Run, alone or together with what other threads ask for; any thread may call it.

        Args:
            outputs: names of the wanted tensors.
            feeds: input name to array, all with the same number of rows; not changed, and not to
                be changed by others before this returns.

        Returns:
            One new array for each wanted name.

        Raises:
            Exception: what running these rows alone raised.
        """
        mine = _Request(list(outputs), feeds)
        try:
            with self._lock:
                self._waiting.append(mine)
                if self._leader is None:
                    self._appoint()
            self._await(mine)
            while mine.answer is None:
                self._lead(mine)
        except BaseException:
            self._leave(mine)
            raise
        # Nobody keeps all of a batch alive, and each thread copies its own part.
        return mine.answer if mine.owns else [part.copy() for part in mine.answer]

    def _await(self, mine: _Request) -> None:
        """Wait until there is an answer, or it is this thread's turn to lead."""
        leader = self._leader
        # Both are looked at: a leader can be interrupted between giving an answer and calling.
        while not mine.called.wait(self._patience_s) and mine.answer is None:
            with self._lock:
                if self._leader is leader and leader is not None:
                    logger.warning("a run lasts longer than %g s: going on", self._patience_s)
                    self._depose(leader)
            leader = self._leader

    def _lead(self, mine: _Request) -> None:
        """Run one batch, and let the next one lead."""
        batch = self._begin(mine)
        if len(batch) == 1:
            results = self._run(mine.outputs, mine.feeds)
        else:
            rows = sum(request.rows for request in batch)
            try:
                results = _checked(self._run(mine.outputs, _together(batch)), rows)
            except Exception as error:  # noqa: BLE001 - a family of unrelated types
                self._separate(mine, rows, error)
                return
        with self._lock:
            mine.take(results, 0, whole=len(batch) == 1)
            place = mine.rows
            for follower in mine.followers:
                follower.take(results, place, whole=False)
                follower.called.set()
                place += follower.rows
            mine.followers = []
            if self._leader is mine:
                self._appoint()

    def _begin(self, mine: _Request) -> list[_Request]:
        """Take all from the front of the line that go together."""
        with self._lock:
            rows = mine.rows
            # Who was deposed has no claim on others' rows any more.
            if self._leader is mine:
                self._waiting.popleft()
                while self._waiting and mine.goes_with(self._waiting[0]):
                    follower = self._waiting[0]
                    if rows + follower.rows > self._most_rows:
                        break
                    # In this order: an interrupted thread may do a thing twice, but lose nobody.
                    mine.followers.append(follower)
                    self._waiting.popleft()
                    rows += follower.rows
            self.runs += 1
            self.rows += rows
            return [mine, *mine.followers]

    def _separate(self, mine: _Request, rows: int, error: Exception) -> None:
        """Have a batch that failed run again one by one, this thread's part first."""
        with self._lock:
            self._most_rows = min(self._most_rows, rows // 2)
            logger.warning(
                "%d rows at once failed and are run one by one; not more than %d from now on (%s)",
                *(rows, self._most_rows, one_line(str(error), 200)),
            )
            mine.alone = True
            for follower in mine.followers:
                follower.alone = True
            if self._leader is mine:
                self._take_back(mine)
                self._waiting.appendleft(mine)

    def _leave(self, mine: _Request) -> None:
        """Go away with an error, or interrupted at any point."""
        with self._lock:
            mine.gone = True
            if self._leader is mine:
                self._depose(mine)
            elif mine in self._waiting:
                self._waiting.remove(mine)

    # The rest is called with the lock held.

    def _appoint(self) -> None:
        """Let the first one that waits lead."""
        self._leader = self._waiting[0] if self._waiting else None
        if self._leader is not None:
            self._leader.called.set()

    def _take_back(self, leader: _Request) -> None:
        """Put a leader's followers at the front of the line again, as they were."""
        followers = [one for one in leader.followers if one.answer is None and not one.gone]
        self._waiting.extendleft(reversed(followers))
        leader.followers = []

    def _depose(self, leader: _Request) -> None:
        """Go on without a leader."""
        if leader in self._waiting:
            self._waiting.remove(leader)
        self._take_back(leader)
        self._appoint()


class _Request:
    """What one caller wants, and gets.

    Attributes:
        outputs, feeds: as in a run.
        rows: how many there are of each input.
        alone: is never put together with others.
        called: the caller has to look: there is an answer, or it leads.
        followers: whose rows it runs with its own, in their order.
        answer: an array for each wanted name, once it is there.
        owns: the answer is no part of a larger array.
        gone: the caller does not wait any more.
    """

    def __init__(self, outputs: list[str], feeds: Mapping[str, Array]) -> None:
        self.outputs = outputs
        self.feeds = feeds
        counts = {value.shape[:1] for value in feeds.values()}
        self.rows = sum(counts.pop()) if len(counts) == 1 else 0
        # What is odd gets the model's own error, and spoils nobody else's run.
        self.alone = self.rows == 0
        self.called = threading.Event()
        self.followers: list[_Request] = []
        self.answer: list[Array] | None = None
        self.owns = self.gone = False

    def goes_with(self, other: _Request) -> bool:
        """Whether both can be rows of one batch."""
        return (
            not (self.alone or other.alone)
            and self.outputs == other.outputs
            and self.feeds.keys() == other.feeds.keys()
            and all(
                value.dtype == other.feeds[name].dtype
                and value.shape[1:] == other.feeds[name].shape[1:]
                for name, value in self.feeds.items()
            )
        )

    def take(self, results: list[Array], place: int, *, whole: bool) -> None:
        """Take the part that begins at a row of a batch, or all of it."""
        self.owns = whole
        self.answer = results if whole else [one[place : place + self.rows] for one in results]


def _together(batch: Sequence[_Request]) -> dict[str, Array]:
    return {
        name: np.concatenate([request.feeds[name] for request in batch]) for name in batch[0].feeds
    }


def _checked(results: list[Array], rows: int) -> list[Array]:
    if wrong := {len(result) for result in results} - {rows}:
        raise ValueError(f"{rows} rows were answered with {wrong.pop()}")
    return results
