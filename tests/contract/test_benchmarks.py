from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_WITHOUT = (
    "import runpy, sys; sys.modules['psutil'] = None; "
    "sys.argv = ['benchmarks', '--help']; runpy.run_module('benchmarks', run_name='__main__')"
)


def test_what_measuring_needs_beyond_the_program_is_named_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: psutil is missing, which measuring needs; run: pip install -e '.[dev]'"
    ]
