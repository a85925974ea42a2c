"""What a process holds and has used, as the operating system counts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psutil

_MIB = 1 << 20


@dataclass(frozen=True)
class Holdings:
    """What a process holds; growth is a leak.

    Attributes:
        threads, descriptors: of the process itself.
        rss_mib: resident memory, that of its children included.
    """

    threads: int
    descriptors: int
    rss_mib: float


def holdings(pid: int) -> Holdings:
    """Count what a process holds.

    Raises:
        psutil.NoSuchProcess: it has ended.
    """
    process = psutil.Process(pid)
    rss_mib = round(resident_bytes(pid) / _MIB, 2)
    return Holdings(process.num_threads(), process.num_fds(), rss_mib)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all below it; 0 once it has ended."""
    return int(_sum_of_family(pid, lambda each: each.memory_info().rss))


def cpu_s(pid: int) -> float:
    """Processor seconds that a process and all that live below it have used."""
    return _sum_of_family(pid, lambda each: sum(each.cpu_times()[:2]))


def _sum_of_family(pid: int, value: Callable[[psutil.Process], float]) -> float:
    total = 0.0
    try:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            total += value(each)
    except psutil.NoSuchProcess:  # Ended while it was looked at.
        pass
    return total
