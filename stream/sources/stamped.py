"""Pictures that carry the time of their capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from stream import stamp
from stream.errors import ConfigError
from stream.frame import Frame, SourceInfo
from stream.health import Health, Monitored
from stream.sources.source import Source


class Stamped:
    """A source that paints the time of its capture into every picture of another source.

    Attributes:
        info: what the other source knows, once it is open.
    """

    info: SourceInfo

    def __init__(self, source: Source) -> None:
        """Wrap a source; it is opened and closed with this one."""
        self._source = source

    def __enter__(self) -> Self:
        """Open the other source.

        Raises:
            SourceError: it cannot be opened.
            ConfigError: its pictures are too small for stamps that survive an encoder.
        """
        self._source.__enter__()
        info = self.info = self._source.info
        if info.width < stamp.MIN_WIDTH or info.height < stamp.MIN_HEIGHT:
            self._source.__exit__(None, None, None)
            raise ConfigError(
                f"--stamp: {info.url} has pictures of {info.width}x{info.height}; expected "
                f"{stamp.MIN_WIDTH}x{stamp.MIN_HEIGHT} or more; leave --stamp out"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            stamp.paint(frame.image, frame.captured_ns)
            yield frame

    def stop(self) -> None:
        """Ask the other source to end soon; safe in signal handlers."""
        self._source.stop()

    def health(self) -> Mapping[str, Health]:
        """Of the other source, nothing if it cannot tell."""
        return self._source.health() if isinstance(self._source, Monitored) else {}
