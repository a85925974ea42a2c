"""Bad input and interruptions: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import DEMO, PROGRAM, ROOT, RunProgram, read_video


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nothing.mp4"], "no such file"),
        (["empty.mp4"], "empty"),
        (["text.mp4"], "text.mp4"),
        (["rtsp://127.0.0.1:9/x", "-o", "null"], "127.0.0.1"),
        (["0", "-o", "null"], "/dev/video0"),
        (["0"], "add --out FILE.mp4"),
        (["gopher://x", "-o", "null"], "unknown kind of source"),
        (["-o", "/nonexistent/x.mp4"], "does not exist"),
        (["-o", "x.wmv"], "unknown kind of output"),
        (["-o", "a.mp4", "-o", "a.mp4"], "twice"),
        (["-m", "maroo"], "did you mean 'maro'"),
        (["-m", "text.mp4"], "not an ONNX file"),
        (["--modle", "maro"], "--model"),
        (["--set", "blend.fether=1"], "did you mean 'blend.feather'"),
        (["--mask", "hulk"], "hulk"),
        (["--faces", "0"], "--faces"),
        (["--device", "tpu"], "--device"),
        (["--report", "/nonexistent/r.json"], "--report"),
        (["--config", "nothing.toml"], "nothing.toml"),
    ],
)
def test_what_cannot_start_says_why(
    program: RunProgram, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("just a text\n" * 100)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = program(*arguments)
    assert expected in one_line(done)
    assert done.returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_start_that_swallows_exceptions(
    tmp_path: Path, number: signal.Signals
) -> None:
    # As native code does, and libraries whose locks an exception leaves held.
    deaf = f"""
import contextlib, signal, run_stream
def start(*_):
    while True:
        with contextlib.suppress(BaseException):
            signal.raise_signal({int(number)})
run_stream.Run = start
raise SystemExit(run_stream.main())
"""
    command = [sys.executable, "-c", deaf, "demo", "-o", "never.mp4"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert not done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("source", ["nothing.mp4", "/dev/video99", "rtsp://127.0.0.1:9/x"])
def test_no_panel_is_offered_for_a_source_that_cannot_be_opened(
    program: RunProgram, source: str
) -> None:
    done = program(source, "-o", "web", "--port", "0")
    assert done.stderr.splitlines() == [one_line(done)]
    assert done.returncode == 2


def test_panel_is_offered_before_the_browser_that_is_the_source(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "browser", "-o", "web", "--port", "0"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith("panel: http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()


def test_truncated_file_gives_what_it_has(program: RunProgram, tmp_path: Path) -> None:
    subprocess.run(
        [*PROGRAM, DEMO, "--duration", "2", "-o", "whole.mkv", "--set", "blend.opacity=0", "-q"],
        cwd=tmp_path,
        check=True,
    )
    whole = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])
    done = program("half.mkv", "-o", "out.mp4", "--report", "r.json")
    assert len(read_video(tmp_path / "out.mp4").times) >= 5
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["frames_out"] == report["frames_in"]
    if done.returncode:
        assert done.returncode == 1
        one_line(done)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_finishes_the_file(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*PROGRAM, DEMO, "--live", "-o", "cut.mp4", "--report", "r.json", "-q"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    output = tmp_path / "cut.mp4"
    try:
        # The header alone has about a thousand bytes: wait for frames.
        while process.poll() is None and not (output.exists() and output.stat().st_size > 20_000):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    report = json.loads((tmp_path / "r.json").read_text())
    assert 0 < report["frames_out"] < 200
    assert len(read_video(output).times) == report["frames_out"]
