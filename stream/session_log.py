"""What a run did, put down beside the files that it wrote: one JSON object a line."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from engine.swap import ModelInfo
from stream.config import Config, shareable
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.sinks.publish import shown
from stream.version import version

SUFFIX = ".session.jsonl"


def wanted(config: Config, *, live: bool) -> bool:
    """Whether a run puts down what it does; always where somebody vouches for consent."""
    if config.i_have_consent or config.session_log == "on":
        return True
    return live and config.session_log == "auto"


def facts(config: Config, info: SourceInfo, model: Path, about: ModelInfo) -> dict[str, Any]:
    """What is known of a run, as plain values without credentials.

    Args:
        config: with every choice resolved.
        info: of the source.
        model: the model's file.
        about: what the model says of itself.
    """
    return {
        "version": version(),
        "source": {"url": info.url, "width": info.width, "height": info.height},
        "sinks": [shown(url) for url in config.out],
        "model": {
            "name": about.name,
            "persona": about.persona,
            "licence": about.licence,
            "consent": about.consent,
            "sha256": sha256(model),
        },
        "consent_vouched_by": config.i_have_consent or None,
        "settings": shareable(config),
    }


class SessionLog:
    """One log; each line is on the disk before `note` returns."""

    def __init__(self, path: Path) -> None:
        """Begin a log; replaces an earlier one of this name.

        Raises:
            SinkError: it cannot be written.
        """
        self._path = path
        self._write("w", "")

    def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Add a line.

        Args:
            event: 'start' or 'end'.
            facts: plain values; credentials have been taken out.

        Raises:
            SinkError: it cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write("a", json.dumps({"event": event, "time": now, **facts}) + "\n")

    def _write(self, mode: Literal["w", "a"], line: str) -> None:
        try:
            with self._path.open(mode, encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SinkError(
                f"{self._path}: the session log cannot be written: {error.strerror}; free the "
                "place, or leave the log out with --set session_log=off"
            ) from error


def beside(path: Path) -> Path:
    """Where the log of a file or folder is."""
    return path.with_name(path.name + SUFFIX)


def in_state_folder() -> Path:
    """A new log's place for a run that writes no file; the folder is made.

    Raises:
        SinkError: the folder cannot be made.
    """
    root = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    default = "Library/Logs" if sys.platform == "darwin" else ".local/state"
    folder = (Path(root) if root else Path.home() / default) / "facestream"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}{SUFFIX}"


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal.

    Raises:
        SinkError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SinkError(f"{path}: cannot be read: {error.strerror}") from error
