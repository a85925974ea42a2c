"""What every source is."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from stream.frame import Frame, SourceInfo


class Source(Protocol):
    """Frames in capture order.

    Entering opens the device or file and raises SourceError; from then on `info` is valid.
    It is iterated once, by one thread; the iteration raises SourceError when the source is
    lost or damaged, after every frame that could be had. Leaving closes it, and may only
    happen when no thread iterates any more. A source that waits may have a `stop` method: it
    ends the iteration soon, and is called from any thread or a signal handler.
    """

    info: SourceInfo

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def stop(self) -> None:
        """Let opening, waiting and iterating end soon; any thread and signal handler may call."""
