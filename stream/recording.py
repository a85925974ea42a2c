"""Recordings that are started and stopped while a stream runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from stream.errors import ConfigError, SinkError
from stream.frame import SourceInfo
from stream.sinks import Sink, SinkSettings
from stream.sinks.from_zero import FromZero
from stream.sinks.video import VideoFile


class Branching(Protocol):
    """Where sinks come and go; `stream.pipeline.Pipeline` is one."""

    def add_sink(self, name: str, sink: Sink) -> None:
        """Open a sink and send it every frame from now on."""

    def remove_sink(self, name: str) -> None:
        """Let a sink finish, and close it."""


class Recorder:
    """At most one recording at a time, named by its time, in a folder of its own.

    Any thread may call it.

    Attributes:
        folder: where they are.
        finished: those that were finished, in order.
    """

    def __init__(self, folder: Path, settings: SinkSettings) -> None:
        """Keeps what is needed; touches nothing.

        Args:
            folder: made when it is needed first.
            settings: how to write.
        """
        self.folder = folder
        self._settings = settings
        self.finished: tuple[Path, ...] = ()
        self._lock = threading.Lock()
        self._pipeline: Branching | None = None
        self._name = ""
        self._began_s = 0.0
        self._document: Callable[[Sink, Path], Sink] = lambda sink, _: sink

    def attach(
        self, pipeline: Branching, document: Callable[[Sink, Path], Sink] | None = None
    ) -> None:
        """Say where frames come from, and what else is done with each file."""
        self._pipeline = pipeline
        self._document = document or self._document

    def status(self) -> dict[str, Any] | None:
        """Name and length of the recording in seconds; None while there is none."""
        name, began_s = self._name, self._began_s
        return {"name": name, "seconds": time.monotonic() - began_s} if name else None

    def start(self, info: SourceInfo) -> str:
        """Begin a file; returns its name without the folder.

        Args:
            info: of the source.

        Raises:
            ConfigError: there is a recording already, or no stream.
            SinkError: the folder or the file cannot be made.
        """
        with self._lock:
            if self._pipeline is None:
                raise ConfigError("nothing to record yet; the stream has not begun")
            if self._name:
                raise ConfigError(f"{self._name} is being recorded; stop it first")
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SinkError(f"{self.folder}: cannot be made: {error.strerror}") from error
            path = self._free_path()
            file = VideoFile(path, replace(info, origin_ns=0), self._settings)
            try:
                self._pipeline.add_sink(str(path), self._document(FromZero(file, info), path))
            except RuntimeError as error:
                raise ConfigError("nothing to record any more; the stream has ended") from error
            self._name, self._began_s = path.name, time.monotonic()
            return self._name

    def stop(self) -> str:
        """Finish the file; returns its name.

        Raises:
            ConfigError: there is no recording.
            SinkError: it had failed, or could not be finished.
        """
        with self._lock:
            if self._pipeline is None or not self._name:
                raise ConfigError("there is no recording to stop")
            name, self._name = self._name, ""
            path = self.folder / name
            self._pipeline.remove_sink(str(path))
            self.finished += (path,)
            return name

    def _free_path(self) -> Path:
        stem = time.strftime("facestream-%Y%m%d-%H%M%S")
        path, number = self.folder / f"{stem}.mp4", 2
        while path.exists():
            path, number = self.folder / f"{stem}-{number}.mp4", number + 1
        return path
