"""The network alone on a device: who executes it, how fast it is, and whether its memory stays."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.gpu.memory import growth_mib, used_mib
from engine.session import PROVIDERS, Device, Session

BATCHES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_WARM_UP: Final = 5
_SAMPLES: Final = 200
_ENOUGH: Final = 100
"""Runs after which a batch size is measured well enough."""


def faces(session: Session, rows: int) -> dict[str, Any]:
    """Noise for the model's inputs."""
    generator = np.random.default_rng(0)
    return {
        name: generator.random((rows, *(size or 1 for size in shape[1:])), dtype=np.float32)
        for name, (shape, _) in session.inputs.items()
    }


def proof(path: Path, device: Device) -> dict[str, Any]:
    """Who executed the nodes of a few runs, by ONNX Runtime's own record."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(path, device, profile_prefix=Path(folder) / "profile")
        for _ in range(_WARM_UP):
            session.run(list(session.outputs), faces(session, 1))
        executed = session.executed()
    total = sum(share.nodes for share in executed.values())
    wanted = PROVIDERS[session.device]
    return {
        "device": session.device,
        "executed": {provider: asdict(share) for provider, share in executed.items()},
        "share_on_device": executed[wanted].nodes / total if wanted in executed else 0.0,
    }


def sweep(  # noqa: PLR0913 - what is compared
    path: Path,
    device: Device,
    batches: Sequence[int],
    budget_s: float,
    *,
    graphs: bool,
    half: bool = True,
) -> dict[str, Any]:
    """Latency and throughput by batch size, arrays of the processor to arrays of the processor.

    Args:
        path: the model.
        device: where it runs.
        batches: how many faces are run at a time.
        budget_s: for all batch sizes together.
        graphs: with CUDA graphs.
        half: on CUDA in float16, where the model stores that.
    """
    began_s = time.perf_counter()
    session = Session(path, device, graphs=graphs, half=half)
    load_s = time.perf_counter() - began_s
    measured = {}
    for rows in batches:
        feeds, names = faces(session, rows), list(session.outputs)
        began_s = time.perf_counter()
        session.run(names, feeds)
        first_ms = (time.perf_counter() - began_s) * 1e3
        for _ in range(_WARM_UP):
            session.run(names, feeds)
        took_ms = _timed(session, feeds, budget_s / len(batches))
        p50, p95, p99 = np.percentile(took_ms, (50, 95, 99))
        measured[str(rows)] = {
            "first_ms": first_ms,
            "p50_ms": float(p50),
            "p95_ms": float(p95),
            "p99_ms": float(p99),
            "faces_per_s": rows * 1e3 / float(p50),
            "runs": len(took_ms),
        }
    return {
        "device": session.device,
        "half": session.half,
        "load_s": load_s,
        "batches": measured,
    }


def _timed(session: Session, feeds: dict[str, Any], budget_s: float) -> list[float]:
    took_ms: list[float] = []
    names, ends_s = list(session.outputs), time.perf_counter() + budget_s
    while len(took_ms) < 3 or (time.perf_counter() < ends_s and len(took_ms) < 20 * _ENOUGH):
        began_s = time.perf_counter()
        session.run(names, feeds)
        took_ms.append((time.perf_counter() - began_s) * 1e3)
    return took_ms


def soak(path: Path, device: Device, runs: int, limit_s: float) -> dict[str, Any]:
    """Memory over many runs of changing batch sizes, by threads that change, too.

    Args:
        path: the model.
        device: where it runs.
        runs: as many, if the time allows.
        limit_s: end after this time.

    Returns:
        "runs" that were done, "mib" in use at the beginning of each of equal parts, and
        "growth_mib", the rise of the line through the second half of them.
    """
    session = Session(path, device)
    feeds = {rows: faces(session, rows) for rows in (1, 2, 3, 4)}
    for batch in feeds.values():
        session.run(list(session.outputs), batch)
    part = max(runs // _SAMPLES, 1)
    ends_s = time.perf_counter() + limit_s
    samples, done = [], 0

    def work() -> None:
        for number in range(part):
            session.run(list(session.outputs), feeds[1 + number % len(feeds)])

    while done < runs and time.perf_counter() < ends_s:
        samples.append(used_mib(device))
        # A new thread each time: what is kept by thread would add up.
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        done += part
    settled = samples[len(samples) // 2 :]
    return {
        "runs": done,
        "wanted": runs,
        "mib": samples,
        "growth_mib": growth_mib(settled),
        "models_loaded": session.loads,
    }
