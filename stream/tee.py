"""Where the stream forks: every frame to every sink, and sinks that come and go meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from stream.branch import Branch
from stream.frame import Frame
from stream.health import Health
from stream.link import Link
from stream.sinks import Sink

_log = logging.getLogger(__name__)


class Tee:
    """Gives each frame to all branches, as long as any of them takes it.

    A sink that fails ends alone. Frames are put by one thread; sinks may be added and removed
    by others.

    Attributes:
        branches: in order. The tuple is replaced, never changed, so that frames flow without
            asking for a lock; `_changing` only orders those who replace it.
    """

    def __init__(
        self,
        sinks: Mapping[str, Sink],
        make_link: Callable[[Sink], Link[Frame]],
        start: Callable[[str, Callable[[], None]], object],
        when_all_failed: Callable[[], None],
        *,
        stamped: bool,
    ) -> None:
        """Make a branch for every sink; opens nothing.

        Args:
            sinks: by name.
            make_link: makes the link to a sink.
            start: runs a function on a new thread of that name.
            when_all_failed: called by the thread of the last sink that fails.
            stamped: pictures carry stamps to read.
        """
        self._make_link = make_link
        self._start = start
        self._when_all_failed = when_all_failed
        self._changing = threading.Lock()
        self._running = False
        self._stamped = stamped
        self.branches = tuple(self._branch(name, sink) for name, sink in sinks.items())

    def _branch(self, name: str, sink: Sink) -> Branch:
        return Branch(name, sink, self._make_link(sink), stamped=self._stamped)

    def open(self) -> None:
        """Open all sinks, in order.

        Raises:
            SinkError: of the first that cannot be opened.
        """
        for branch in self.branches:
            branch.open()

    def start(self) -> None:
        """Start the threads of all sinks."""
        with self._changing:
            self._running = True
            for branch in self.branches:
                self._start_branch(branch)

    def put(self, frame: Frame) -> bool:
        """Give a frame to all; False when no reader is left."""
        taken = [branch.link.put(frame) for branch in self.branches]
        return any(taken)

    def end(self) -> None:
        """Nothing more comes, and nobody may join any more."""
        with self._changing:
            self._running = False
            for branch in self.branches:
                branch.link.end()

    def abort(self) -> None:
        """Empty all links; safe in signal handlers."""
        for branch in self.branches:
            branch.link.abort()

    def add(self, name: str, sink: Sink) -> None:
        """Open a sink and give it every frame from now on.

        Raises:
            SinkError: it cannot be opened.
            ValueError: the name is taken.
            RuntimeError: the stream has ended, or has not begun.
        """
        branch = self._branch(name, sink)
        branch.open()
        try:
            self._join(branch)
        except BaseException as error:
            branch.close(error)
            raise

    def _join(self, branch: Branch) -> None:
        with self._changing:
            if any(branch.name == other.name for other in self.branches):
                raise ValueError(f"sink {branch.name!r}: the name is taken")
            if not self._running:
                raise RuntimeError(f"sink {branch.name!r}: there is no stream to join")
            self.branches += (branch,)
            self._start_branch(branch)

    def remove(self, name: str) -> None:
        """Let a sink write what it has received, and close it.

        Raises:
            KeyError: there is none of this name.
            SinkError: it had failed, or could not be finished.
        """
        with self._changing:
            branch = next((branch for branch in self.branches if branch.name == name), None)
            if branch is None:
                raise KeyError(name)
            self.branches = tuple(other for other in self.branches if other is not branch)
        branch.link.end()
        branch.ended.wait()
        if branch.failure is not None:
            raise branch.failure
        branch.close(None)

    def close(self, error: BaseException | None) -> BaseException | None:
        """Finish all sinks, once their threads have ended.

        Args:
            error: what ended the stream, if it was one.

        Returns:
            It, or else the first failure of a sink; later failures are its notes.
        """
        for branch in self.branches:
            if error is None:
                error = branch.failure
            elif branch.failure is not None:
                error.add_note(f"later also: {type(branch.failure).__name__}: {branch.failure}")
            try:
                branch.close(error)
            except Exception as failure:  # noqa: BLE001 - raised by the caller
                error = failure
        return error

    def health(self) -> dict[str, Health]:
        """Of every connection of every sink."""
        return {name: state for branch in self.branches for name, state in branch.health().items()}

    def _start_branch(self, branch: Branch) -> None:
        self._start(branch.name, lambda: self._deliver(branch))

    def _deliver(self, branch: Branch) -> None:
        branch.run()
        if branch.failure is None:
            return
        if all(other.failure is not None for other in self.branches):
            self._when_all_failed()
        else:
            _log.error("%s; the other outputs go on", branch.failure)
