"""What a measurement was made on."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from engine.session import Runtime
from stream.processors import available_threads

_PACKAGES = ("av", "mediapipe", "numba", "numpy", "opencv-python")


def describe() -> dict[str, object]:
    """Date, processor, versions: what a reader needs to judge a number."""
    runtime = Runtime.installed()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "threads": available_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES}
        | {runtime.package: runtime.version},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
