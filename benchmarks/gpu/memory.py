"""How much memory is in use on the GPU, or by this process where the processor runs the model."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

MIB = 1 << 20


def used_mib(device: str) -> float:
    """Mebibytes in use: of the whole GPU as the driver counts them, or of this process.

    Raises:
        OSError: nobody can tell.
    """
    if device != "cpu":
        return _gpu_mib()
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def _gpu_mib() -> float:
    # Asking the runtime costs microseconds, nvidia-smi a second.
    for major in (13, 12):
        with suppress(OSError):
            runtime = ctypes.CDLL(f"libcudart.so.{major}")
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            if runtime.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total)) == 0:
                return (total.value - free.value) / MIB
    answer = subprocess.run(
        ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return float(answer.stdout.splitlines()[0])


def growth_mib(samples: Sequence[float]) -> float:
    """How much the straight line through evenly spaced samples rises from first to last."""
    if len(samples) < 2:
        return 0.0
    steps = np.arange(len(samples))
    slope, _ = np.polyfit(steps, np.asarray(samples, float), 1)
    return float(slope * (len(samples) - 1))
