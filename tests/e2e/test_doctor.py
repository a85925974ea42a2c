"""`doctor` and `inspect` as a user runs them, on this machine as it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, ROOT, RunProgram
from tests.tiny_models import write_model

BUNDLED = ROOT / "engine" / "bundled" / "maro.onnx"


def test_the_default_job_can_run_here_and_the_processor_is_proven(program: RunProgram) -> None:
    done = program("doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    sections = {section["name"]: section["findings"] for section in report["sections"]}
    assert list(sections) == [
        *("Machine", "Packages", "Video", "GPU", "Inference", "Models", "Job"),
    ]
    says = {
        (name, finding["subject"]): finding["says"]
        for name, findings in sections.items()
        for finding in findings
    }
    assert "executed by CPUExecutionProvider" in says["Inference", "model on cpu"]
    assert says["Video", "video files"] == "H.264 written and read back: .mp4, .mkv"
    assert "http(s), rtsp" in says["Video", "sources"]
    assert "keeps the contract" in says["Models", "model maro"]
    assert "faces swapped" in says["Job", "default job"]


def test_without_a_terminal_the_table_is_plain_text(program: RunProgram, tmp_path: Path) -> None:
    done = program("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith("Machine\n  ok   system ")
    assert "the default job can run" in done.stdout.splitlines()[-2]
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_cannot_be_loaded_is_a_line_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text(
        'raise ImportError("libGL.so.1: cannot open shared object file: No such file")\n'
    )
    done = subprocess.run(
        [*PROGRAM, "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert not report["ok"]
    failing = {
        section["name"]: finding["says"]
        for section in report["sections"]
        for finding in section["findings"]
        if finding["verdict"] == "fail"
    }
    assert set(failing) >= {"Packages", "Models", "Job"}
    assert all("libGL.so.1" in says for says in failing.values())
    machine = report["sections"][0]
    assert all(finding["verdict"] != "fail" for finding in machine["findings"])


def test_inspect_the_bundled_model(program: RunProgram) -> None:
    done = program("inspect", "maro", "--seconds", "0.05", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["contract"]["supported"]
    assert found["file_bytes"] == BUNDLED.stat().st_size
    assert found["weights"]["float16"]["parameters"] > 1_000_000
    assert found["devices"]["cpu"]["latency_by_threads"]["1"]["median_ms"] > 0
    shown = program("inspect", BUNDLED, "--seconds", "0.05")
    assert shown.returncode == 0
    assert "a run can use it" in shown.stdout
    assert f"--model {BUNDLED}" in shown.stdout


def test_a_model_that_runs_cannot_use(program: RunProgram, tmp_path: Path) -> None:
    path = write_model(tmp_path / "odd.onnx", output_name="picture")
    done = program("inspect", path, "--seconds", "0")
    assert done.returncode == 1
    assert "FAIL" in done.stdout


@pytest.mark.parametrize("content", [b"", b"text", BUNDLED.read_bytes()[:5000]])
def test_a_file_that_is_no_model_is_one_line(
    program: RunProgram, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "bad.onnx").write_bytes(content)
    done = program("inspect", "bad.onnx")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: model bad.onnx: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("inspect",), "Missing argument 'MODEL'"),
        (("inspect", "nowhere.onnx"), "no such file"),
        (("doctor", "now"), "unexpected extra argument"),
        (("./doctor",), "doctor"),
    ],
)
def test_wrong_use_is_one_line(program: RunProgram, arguments: tuple[str, ...], says: str) -> None:
    done = program(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


def test_help_of_all_three(program: RunProgram) -> None:
    assert "inspect MODEL" in program("--help").stdout
    assert "Usage: run_stream.py doctor" in program("doctor", "--help").stdout
    assert "Usage: run_stream.py inspect" in program("inspect", "-h").stdout


def test_an_interrupted_command_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "doctor"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            limit_s = time.monotonic() + 60
            while not list(tmp_path.glob("facestream-*")):
                assert time.monotonic() < limit_s
                time.sleep(0.002)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not list(tmp_path.glob("facestream-*"))
