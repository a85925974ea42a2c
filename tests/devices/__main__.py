"""Tests on real drivers, a slow disk and a clock that is set, inside of a virtual machine.

    python -m tests.devices [PYTEST ARGUMENTS]

The machine boots Debian's kernel with the drivers v4l2loopback and vivid (a webcam made of
software), sees the host's files read-only, has a disk that is slow, and runs tests/devices/guest
with this Python, which may do there what it may not elsewhere, such as set the clock.
Everything is emulated, so neither root nor KVM is needed, and pixels are slow. Exit code 0: every
test passed; 1: not; 2: something to build it with is missing.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.devices.machine import (
    BuildError,
    Machine,
    boot,
    initramfs,
    list_plugins,
    machine,
    make_disk,
)

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".devices"
LOOPBACK = "FACESTREAM_LOOPBACK"
"""Environment variable: source folder of another v4l2loopback than Debian's."""

_TIMEOUT_S = 600
_END = "guest ends with "
_PORTABLE = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}


def main(arguments: list[str]) -> int:
    """Build, boot, test; prints what pytest says and one line at the end."""
    began_s = time.monotonic()
    loopback = os.environ.get(LOOPBACK)
    try:
        built = machine(CACHE, Path(loopback) if loopback else None)
        compiled = compile_loops(CACHE / "compiled")
        plugins = list_plugins(CACHE / "plugins")
        ready_s = time.monotonic()
        passed, summary = run(built, compiled, plugins, arguments)
    except BuildError as error:
        print(f"test-devices: {error}")
        return 2
    built_s, ran_s = ready_s - began_s, time.monotonic() - ready_s
    verdict = "passed" if passed else "FAILED"
    print(f"test-devices: {verdict}: {summary} (built in {built_s:.0f} s, ran {ran_s:.0f} s)")
    return 0 if passed else 1


def compile_loops(folder: Path) -> Path:
    """Compile the pixel loops here, for any processor: emulated, it would take minutes."""
    code = (
        "import numpy as np\n"
        "from stream import yuv420\n"
        "y, u, v = (np.zeros((size, size), np.uint8) for size in (2, 1, 1))\n"
        "yuv420.from_bgr(np.zeros((2, 2, 3), np.uint8), yuv420.BT601, (y, u, v))\n"
        "yuv420.to_bgr((y, u, v), (2, 2), yuv420.BT601, full_range=False)\n"
    )
    environment = os.environ | _PORTABLE | {"NUMBA_CACHE_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    return folder


def run(built: Machine, compiled: Path, plugins: Path, arguments: list[str]) -> tuple[bool, str]:
    """Boot once and run the tests.

    Returns:
        Whether all passed, and pytest's summary or what happened instead.
    """
    quiet = ("-q", "--color=no", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *quiet, *arguments]
    if not any(argument.startswith("tests/") for argument in arguments):
        command.append("tests/devices/guest")
    settings = {
        "PROJECT": str(ROOT),
        "COMPILED": str(compiled),
        "PLUGINS": str(plugins),
        "COMMAND": shlex.join(command),
    }
    console = CACHE / "console.log"
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        start, disk = Path(name) / "initramfs", make_disk(Path(name) / "disk")
        initramfs(built, settings, start)
        process = boot(built, start, disk, console)
        watchdog = threading.Timer(_TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            lines = _shown(process)
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
    if not lines or not lines[-1].startswith(_END):
        return False, f"the machine ended on its own or after {_TIMEOUT_S} s; see {console}"
    summary = lines[-2].strip("= ") if len(lines) > 1 else "nothing ran"
    return lines[-1] == f"{_END}0", summary


def _shown(process: subprocess.Popen[bytes]) -> list[str]:
    assert process.stdout is not None
    lines = []
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").strip("\r\n")
        lines.append(line)
        if not line.startswith(_END):
            print(line, flush=True)
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
