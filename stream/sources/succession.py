"""Sources that follow each other: one of them is open at a time."""

from __future__ import annotations

from collections.abc import Callable

from stream.sources.source import Source


class Succession:
    """Opens one source after the other, and lets a stop reach the one that is open.

    Attributes:
        source: the one that is open, None between two of them.
        stopped: no other one is wanted.
    """

    def __init__(self, open_: Callable[[], Source]) -> None:
        """Open nothing yet.

        Args:
            open_: makes a source that is not entered yet; called for each.
        """
        self._open = open_
        self.source: Source | None = None
        self.stopped = False

    def enter_next(self) -> Source:
        """Open another source, after the last one was closed.

        Raises:
            SourceError: it cannot be opened.
        """
        source = self.source = self._open()
        if self.stopped:  # It came too late to reach this source.
            source.stop()
        try:
            source.__enter__()
        except BaseException:
            self.source = None
            raise
        return source

    def stop(self) -> None:
        """Let opening and iterating end soon; from any thread, in signal handlers."""
        self.stopped = True
        source = self.source
        if source is not None:
            source.stop()

    def close(self) -> None:
        """Close the one that is open."""
        source, self.source = self.source, None
        if source is not None:
            source.__exit__(None, None, None)
