"""The script for GPUs, where there is none: it says what is missing, and measures nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu" / "run.sh"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell script")


def run(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), *arguments],
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_missing_gpu_is_said_before_anything_is_measured(device: str, tmp_path: Path) -> None:
    done = run("--device", device, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert f"device {device} is not available" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_python_without_the_packages_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -I "$@"\n')
    bare.chmod(0o755)
    done = run("--device", "cpu", python=str(bare))
    assert done.returncode == 2
    assert "onnxruntime-gpu (ModuleNotFoundError" in done.stderr
    assert "pip install" in done.stderr


def test_no_python_at_all_is_one_clear_line() -> None:
    done = run(python="/nowhere/python")
    assert done.returncode == 2
    assert "set PYTHON to one" in done.stderr
