"""TensorRT's engine, built by another process while CUDA serves."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from engine.errors import EngineError

_POLL_S: Final = 0.05

_log = logging.getLogger(__name__)


def command(model: Path) -> list[str]:
    """What builds the engine of a model."""
    return [sys.executable, "-m", "engine.execution.build", str(model)]


class EngineBuild:
    """A build that goes on beside a run; leaving the block gives it up."""

    def __init__(self, command: Sequence[str], built: Callable[[], None]) -> None:
        """Nothing is started yet.

        Args:
            command: of the process that builds; ends with 0 if it has.
            built: called from a thread of its own when the engine is there. EngineError is
                reported and changes nothing.
        """
        self._command = command
        self._built = built
        self._stopping = False
        self._thread = threading.Thread(target=self._watch, name="facestream-engine")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()

    def _watch(self) -> None:
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(  # noqa: S603 - our own module
                    self._command, stdin=subprocess.DEVNULL, stdout=said, stderr=said
                )
            except OSError as error:
                _log.warning("TensorRT's engine is not built: %s", error)
                return
            with process:
                while process.poll() is None:
                    if self._stopping:
                        process.kill()
                        return
                    try:
                        process.wait(_POLL_S)
                    except subprocess.TimeoutExpired:
                        continue
            if process.returncode != 0:
                said.seek(0)
                lines = said.read().decode(errors="replace").strip().splitlines()
                reason = lines[-1] if lines else f"exit code {process.returncode}"
                _log.warning("TensorRT's engine is not built: %s", reason)
                return
        try:
            self._built()
        except EngineError as error:
            _log.warning("TensorRT's engine is built, but not used: %s", error)
