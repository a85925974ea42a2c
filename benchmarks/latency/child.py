"""Processes that a measurement is made of: they end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_S = 20.0


def end_with_parent() -> None:
    """Make this process end when its standard input is closed, as it is when the parent dies."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child process; at the end of the block its input is closed and it is interrupted.

    Args:
        command: what to run.
        log: where its messages go.
    """
    with (
        log.open("wb") as messages,
        subprocess.Popen(  # noqa: S603 - our own commands
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=messages,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for_line(file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once a process has written a line into a file.

    Raises:
        RuntimeError: it ended before, or took too long; with its last words.
    """
    deadline_s = time.monotonic() + _PATIENCE_S
    while not (file.exists() and file.stat().st_size):
        if process.poll() is not None or time.monotonic() > deadline_s:
            words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{process.args!r} shows no picture: {words}")
        time.sleep(0.05)
