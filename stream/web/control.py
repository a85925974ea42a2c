"""What the panel needs from a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from stream.report import Report


class Control(Protocol):
    """A run as the panel sees it: thread-safe, blocking calls, plain JSON values."""

    def status(self) -> dict[str, Any]:
        """State, source, sinks, report."""

    def report(self) -> Report | None:
        """The numbers alone; None before anything moves."""

    def settings(self) -> dict[str, Any]:
        """The live settings and what each of them may be."""

    def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change all of these or none; the new settings. Raises ConfigError, EngineError."""

    @property
    def recordings(self) -> str:
        """Absolute path of the folder of recordings."""

    @property
    def finished(self) -> tuple[Path, ...]:
        """Recordings of this run that were finished, in order; it only grows."""

    def start_recording(self) -> str:
        """Begin a new file; its name. Raises StreamError."""

    def stop_recording(self) -> str:
        """Finish the file; its name. Raises StreamError."""
