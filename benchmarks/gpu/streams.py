"""What several streams get out of one session that they share, gathered into batches and not."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.gpu.network import faces
from engine.session import Device, Session

STREAMS: Final = (1, 2, 4, 8, 16)
_WARM_UP_S: Final = 0.2


def measure(path: Path, device: Device, streams: Sequence[int], budget_s: float) -> dict[str, Any]:
    """Threads that each ask for one face after the other, as fast as they get them.

    Args:
        path: the model.
        device: where it runs.
        streams: how many threads, in turn.
        budget_s: for all of it.

    Returns:
        By number of streams, "gathered" and "apart": "faces_per_s" of all together, "p50_ms" and
        "p95_ms" from asking to having, and, gathered, "rows_per_run". "gathers": whether the
        session does so on this device; where it does not, both sides are the same.
    """
    sessions = {
        "gathered": Session(path, device, graphs=False),
        "apart": Session(path, device, graphs=False, gather=False),
    }
    part_s = budget_s / (len(streams) * len(sessions))
    # Both sides of a number of streams follow each other: a busy moment strikes both.
    measured = {
        str(count): {side: _run(session, count, part_s) for side, session in sessions.items()}
        for count in streams
    }
    gathered = sessions["gathered"]
    return {
        "device": gathered.device,
        "gathers": gathered.gathering is not None,
        "streams": measured,
    }


def _run(session: Session, streams: int, budget_s: float) -> dict[str, float]:
    feeds, names = faces(session, 1), list(session.outputs)
    took_ms: list[list[float]] = [[] for _ in range(streams)]
    warm_up_s = min(_WARM_UP_S, budget_s / 4)
    counts_s = time.perf_counter() + warm_up_s
    ends_s = counts_s + budget_s - warm_up_s

    def work(mine: list[float]) -> None:
        while not mine or time.perf_counter() < ends_s:
            began_s = time.perf_counter()
            session.run(names, feeds)
            now_s = time.perf_counter()
            if now_s >= counts_s:
                mine.append((now_s - began_s) * 1e3)

    before = _counts(session)
    threads = [threading.Thread(target=work, args=(mine,)) for mine in took_ms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - counts_s
    p50, p95 = np.percentile(np.concatenate(took_ms), (50, 95))
    result = {
        "faces_per_s": sum(map(len, took_ms)) / wall_s,
        "p50_ms": float(p50),
        "p95_ms": float(p95),
    }
    runs, rows = (now - then for now, then in zip(_counts(session), before, strict=True))
    return result | ({"rows_per_run": rows / runs} if runs else {})


def _counts(session: Session) -> tuple[int, int]:
    gathering = session.gathering
    return (0, 0) if gathering is None else (gathering.runs, gathering.rows)
