"""The processors that there are, and who uses how many of them."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threads:
    """One budget of processor threads, for libraries that would each take all."""

    inference: int
    decoder: int
    encoder: int

    @classmethod
    def share(cls, total: int) -> Threads:
        """Split `total` threads among the parts that can use more than one."""
        return cls(
            inference=max(total // 2, 1), decoder=max(total // 4, 1), encoder=max(total // 4, 1)
        )


def available_threads() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
