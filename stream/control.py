"""What may be seen and changed of a run while it runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from engine.errors import EngineError
from stream.errors import ConfigError
from stream.frame import SourceInfo
from stream.health import Health
from stream.live_settings import LiveSettings, models_on_offer
from stream.recording import Recorder
from stream.report import Report


class Running(Protocol):
    """The part of a run that can be steered; `stream.run.Run` is one."""

    @property
    def source_info(self) -> SourceInfo | None:
        """Of the source, once it is open."""

    @property
    def live_settings(self) -> LiveSettings:
        """What is in force."""

    def apply(self, settings: LiveSettings) -> None:
        """Put other settings into force with the next frame; may load a model.

        Raises:
            EngineError: a model that cannot be used; nothing was changed.
        """

    def report(self) -> Report | None:
        """Counters so far; None before anything moves."""

    def describe(self) -> Mapping[str, Any]:
        """Model, device and mode, as plain values."""


class Control:
    """Steers one run; every method may be called by any thread, and may take its time.

    Attributes:
        recorder: starts and stops recordings.
    """

    def __init__(self, run: Running, recorder: Recorder) -> None:
        self._run = run
        self._recorder = recorder
        self._models = models_on_offer(run.live_settings.model)
        self._changing = threading.Lock()

    def status(self) -> dict[str, Any]:
        """Everything that is known of the run, as plain values without credentials."""
        report = self._run.report()
        info = self._run.source_info
        return {
            "state": "waiting" if report is None else "running",
            "source": None if info is None else _source(info, report),
            "sinks": {} if report is None else _plain(report.sinks),
            "recording": self._recorder.status(),
            "report": None if report is None else report.to_json(),
            **self._run.describe(),
        }

    def report(self) -> Report | None:
        """The numbers alone; None before anything moves."""
        return self._run.report()

    def settings(self) -> dict[str, dict[str, Any]]:
        """See `LiveSettings.described`."""
        return self._run.live_settings.described(self._models)

    def change(self, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Change some settings, all of them or none.

        Args:
            changes: values by name; nothing in it is trusted.

        Returns:
            `settings()` after it.

        Raises:
            ConfigError: an unknown name or a value out of range; nothing was changed.
        """
        with self._changing:
            settings = self._run.live_settings.changed(changes, self._models)
            try:
                self._run.apply(settings)
            except EngineError as error:
                raise ConfigError(str(error)) from error
            return self.settings()

    @property
    def recordings(self) -> str:
        """Absolute path of the folder of recordings."""
        return str(self._recorder.folder.absolute())

    @property
    def finished(self) -> tuple[Path, ...]:
        """Recordings of this run that were finished, in order."""
        return self._recorder.finished

    def start_recording(self) -> str:
        """Begin to write a file; returns its name.

        Raises:
            ConfigError: there is one already, or nothing to record yet.
            SinkError: it cannot be written.
        """
        info = self._run.source_info
        if info is None or self._run.report() is None:
            raise ConfigError("nothing to record yet; the source has not given a picture")
        return self._recorder.start(info)

    def stop_recording(self) -> str:
        """Finish the file; returns its name.

        Raises:
            ConfigError: there is no recording.
            SinkError: it could not be finished.
        """
        return self._recorder.stop()


def _source(info: SourceInfo, report: Report | None) -> dict[str, Any]:
    return {
        "url": info.url,
        "width": info.width,
        "height": info.height,
        "rate": None if info.rate is None else float(info.rate),
        "connections": {} if report is None else _plain(report.source),
    }


def _plain(healths: Mapping[str, Health]) -> dict[str, dict[str, Any]]:
    return {name: asdict(health) for name, health in healths.items()}
