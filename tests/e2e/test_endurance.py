"""Whatever happens to the running program: files stay playable, one line says what happened."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from websockets.sync.client import connect

from benchmarks.endurance_kill import MOST_LOST_S, killed, pictures
from benchmarks.soak import TOKEN, program, run_status, wait_until_running
from tests.e2e.conftest import PROGRAM, read_video

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and limits of Linux")

GENEROUS_S = 60.0
NICE = 10
"""Beside busy loops on all processors: a tenth of them is left."""
LIVE = ["demo", "--live", "--loop", "--preset", "fast"]


@contextmanager
def running(folder: Path, *options: str, limit_bytes: int = 0) -> Iterator[subprocess.Popen[str]]:
    """The program in a folder; what it says goes to said.txt."""
    prefix = ["prlimit", f"--fsize={limit_bytes}"] if limit_bytes else []
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [*prefix, *PROGRAM, *options], cwd=folder, stderr=said, stdout=said, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(process: subprocess.Popen[str], is_so: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + GENEROUS_S
    while not is_so():
        assert process.poll() is None, "the program has ended"
        assert time.monotonic() < limit_s, "it does not come"
        time.sleep(0.02)


def said(folder: Path) -> str:
    text = (folder / "said.txt").read_text()
    assert "Traceback" not in text
    return text


def catches_signals(process: subprocess.Popen[str]) -> bool:
    """Whether a handler for SIGTERM is there, as the system sees it."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*(\w+)", text, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize(("file", "moment_s"), [("a.mp4", 2.3), ("a.mkv", 2.9), ("a.mov", 3.4)])
def test_a_killed_recording_loses_its_last_moment_only(
    tmp_path: Path, file: str, moment_s: float
) -> None:
    left = killed(tmp_path, file, moment_s)
    assert left.playable > 0
    assert left.lost_s <= MOST_LOST_S


def test_a_full_disk_ends_one_output_and_the_others_go_on(tmp_path: Path) -> None:
    # The system refuses larger files as it refuses any on a full disk.
    outputs = ["-o", "full.mp4", "-o", "null", "--report", "r.json"]
    with running(tmp_path, *LIVE, *outputs, limit_bytes=400_000) as process:
        until(process, lambda: "go on" in said(tmp_path))
        time.sleep(1)  # for the other output to get more
        process.send_signal(signal.SIGTERM)
        assert process.wait(GENEROUS_S) == 1
    lines = [line for line in said(tmp_path).splitlines() if line.startswith(("ERROR", "error"))]
    assert lines[0] == (
        "ERROR: full.mp4: cannot be written: File too large; the other outputs go on"
    )
    assert lines[1].startswith("error: full.mp4: cannot be written: File too large (in 'full.mp4'")
    assert len(lines) == 2
    report = json.loads((tmp_path / "r.json").read_text())
    assert 0 < pictures(tmp_path / "full.mp4") < report["stages"]["null"]["frames"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_loading(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, *LIVE, "-o", "never.mp4") as process:
        until(process, lambda: catches_signals(process))
        process.send_signal(number)
        assert process.wait(GENEROUS_S) == 130
    said(tmp_path)
    assert not (tmp_path / "never.mp4").exists()


@pytest.mark.parametrize("word", ["doctor", "inspect", "verify"])
def test_a_signal_while_libraries_are_loaded(tmp_path: Path, word: str) -> None:
    with running(tmp_path, word, "maro") as process:
        until(process, lambda: catches_signals(process))
        process.send_signal(signal.SIGTERM)
        assert process.wait(GENEROUS_S) == 130
    assert not said(tmp_path).strip()


def test_a_signal_while_a_server_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"
        options = ["-o", "never.mp4", "--set", "input.open_timeout_s=600"]
        with running(tmp_path, url, *options) as process:
            silent.settimeout(GENEROUS_S)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                assert process.wait(GENEROUS_S) == 130
    said(tmp_path)
    assert not (tmp_path / "never.mp4").exists()


def test_signals_while_finishing_leave_a_playable_file(tmp_path: Path) -> None:
    file = tmp_path / "cut.mp4"
    with running(tmp_path, *LIVE, "-o", file.name, "--report", "r.json") as process:
        until(process, lambda: file.exists() and file.stat().st_size > 20_000)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        assert process.wait(GENEROUS_S) == 130
    said(tmp_path)
    assert len(read_video(file).times) >= 5
    json.loads((tmp_path / "r.json").read_text())


def ages_ms(address: str, seconds: float) -> list[float]:
    """Of all pictures that a viewer gets meanwhile, from capture to arrival."""
    url = address.replace("http", "ws", 1) + "/ws/view"
    ages, end_s = [], time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(url, additional_headers=headers, max_size=None) as viewer:
        while time.monotonic() < end_s:
            message = viewer.recv(timeout=GENEROUS_S)
            assert isinstance(message, bytes)
            (captured_ms,) = struct.unpack_from("<d", message, 8)
            ages.append(time.monotonic_ns() / 1e6 - captured_ms)
            viewer.send("ack")
    return ages


def test_a_suspended_program_recovers_without_stale_pictures(tmp_path: Path) -> None:
    options = [*LIVE[1:], "--out", "web", "--out", str(tmp_path / "kept.mkv")]
    with program("demo", options, tmp_path / "r.json") as (process, address):
        wait_until_running(process, address)
        before = ages_ms(address, 2)
        process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        process.send_signal(signal.SIGCONT)
        at_first = ages_ms(address, 2)
        later = ages_ms(address, 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GENEROUS_S) == 130
    # Those that were on their way are old; there are few, and nothing piles up behind them.
    assert sum(age > 4000 for age in at_first) <= 8
    middle = sorted(before)[len(before) // 2]
    assert sorted(later)[len(later) // 2] < max(10 * middle, 2000), "generous: it recovers"
    times = read_video(tmp_path / "kept.mkv").times
    # A file that plays the camera catches up: many of its pictures in the same millisecond.
    assert all(one <= other for one, other in pairwise(times))


def test_a_starved_program_drops_and_stays_young(tmp_path: Path) -> None:
    busy: list[subprocess.Popen[bytes]] = []
    report = tmp_path / "r.json"
    options = [*LIVE[1:], "--out", "null", "--out", "web"]
    try:
        with program("demo", options, report) as (process, address):
            wait_until_running(process, address)
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), NICE)
            busy += [
                subprocess.Popen([sys.executable, "-c", "while True: pass"])
                for _ in os.sched_getaffinity(0)
            ]
            time.sleep(5)
            assert run_status(address)["state"] == "running"
            process.send_signal(signal.SIGTERM)
            assert process.wait(GENEROUS_S) == 130
    finally:
        for each in busy:
            each.kill()
            each.wait()
    result = json.loads(report.read_text())
    assert result["frames_out"] > 0
    assert result["frames_in"] == result["frames_out"] + result["dropped"] - result["held"]
    # A queue that grows would let them reach the length of the run.
    assert result["age_ms"]["p50"] < 3000, "generous: bounded"
