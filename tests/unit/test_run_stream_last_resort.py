"""Whatever is raised, the user gets one line that can be shown to anybody."""

from __future__ import annotations

import errno
import logging
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest

import run_stream
from stream.errors import SourceError


@pytest.fixture(autouse=True)
def untouched_process() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    interval, level = sys.getswitchinterval(), logging.getLogger().level
    yield
    signal.signal(signal.SIGTERM, before)
    sys.setswitchinterval(interval)
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "x" * 10),
            2,
            "File name too long: 'xxx",
        ),
        (ValueError("odd\nthing"), 1, "unexpected ValueError: odd thing; see --debug"),
        (MemoryError(), 1, "unexpected MemoryError"),
        (EOFError("End of file"), 1, "unexpected EOFError: End of file"),
        (SourceError("rtsp://user:hunter2@host/\x1b[2J: gone"), 2, r"rtsp://host/\x1b[2J: gone"),
    ],
)
def test_any_failure_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    expected: str,
) -> None:
    def fails(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(run_stream, "Run", fails)
    monkeypatch.setattr(sys, "argv", ["run_stream.py", "clip.mp4"])
    assert run_stream.main() == code
    (line,) = filter(None, capsys.readouterr().err.splitlines())
    assert line.startswith("error: ")
    assert expected in line
    assert "hunter2" not in line
