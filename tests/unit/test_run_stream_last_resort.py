"""Whatever is raised, the user gets one line that can be shown to anybody."""

from __future__ import annotations

import contextlib
import errno
import logging
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest

import run_stream
from engine.errors import ModelError
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
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert expected in line
    assert "hunter2" not in line


@pytest.mark.parametrize("error", [SystemError("null result"), ModelError("not loaded")])
def test_what_fails_because_it_was_interrupted_is_an_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fails(*_: object) -> NoReturn:
        # What native code does that swallows the exception of a signal's handler.
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        raise error

    monkeypatch.setattr(run_stream, "Run", fails)
    monkeypatch.setattr(sys, "argv", ["run_stream.py", "clip.mp4"])
    assert run_stream.main() == 130
    assert not capsys.readouterr().err


def test_what_was_left_half_made_by_a_signal_is_not_talked_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class HalfMade:
        def __del__(self) -> None:
            raise AttributeError("_handle")

    monkeypatch.setattr(sys, "unraisablehook", run_stream.unheard)
    monkeypatch.setattr(run_stream, "early_signals", [signal.SIGINT])
    HalfMade()
    assert not capsys.readouterr().err
    monkeypatch.setattr(run_stream, "early_signals", [])
    HalfMade()
    assert "AttributeError: _handle" in capsys.readouterr().err
