"""What the figures of a GPU are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Result = Mapping[str, Any]

MOST_GROWTH_MIB: Final = 8.0
"""More than one allocation's rounding, less than a leak of 100 bytes a run."""

_CELL: Final = "1080p, 1 face, 1 stream, null"


def _fastest(result: Result) -> float:
    return max(float(batch["faces_per_s"]) for batch in result["batches"]["batches"].values())


def _gain(result: Result) -> float:
    if not result["streams"]["gathers"]:
        raise ValueError("this device does not gather")
    sides = result["streams"]["streams"]["8"]
    return float(sides["gathered"]["faces_per_s"] / sides["apart"]["faces_per_s"])


_GOALS: Final[tuple[tuple[str, Callable[[Result], float], Callable[[float], bool]], ...]] = (
    (
        "more than nine tenths of the nodes are executed by the device",
        lambda result: float(result["proof"]["share_on_device"]),
        lambda share: share > 0.9,
    ),
    (
        "one face takes 1 ms or less (p50), in ms",
        lambda result: float(result["batches"]["batches"]["1"]["p50_ms"]),
        lambda ms: ms <= 1.0,
    ),
    ("4,000 faces a second or more in batches", _fastest, lambda rate: rate >= 4000),
    (
        "eight streams that share a session: gathered faces are swapped faster, times",
        _gain,
        lambda times: times > 1,
    ),
    (
        "1080p with one face, file to null: 120 fps or more",
        lambda result: float(result["pipeline"][_CELL]["fps"]["median"]),
        lambda fps: fps >= 120,
    ),
    (
        "live 1080p at 60 fps: nothing dropped",
        lambda result: float(result["live"]["dropped"]),
        lambda dropped: dropped == 0,
    ),
    (
        "live 1080p at 60 fps: frames are 50 ms old or less (p95), in ms",
        lambda result: float(result["live"]["age_ms"]["p95"]),
        lambda ms: ms <= 50,
    ),
    (
        f"memory grows by {MOST_GROWTH_MIB:g} MiB or less over all runs, in MiB",
        lambda result: float(result["memory"]["growth_mib"]),
        lambda mib: mib <= MOST_GROWTH_MIB,
    ),
)


def judge(result: Result) -> list[dict[str, str]]:
    """Each goal with its figure and 'reached', 'missed' or 'unknown' if it was not measured."""
    lines = []
    for goal, figure, reached in _GOALS:
        try:
            value = figure(result)
        except (KeyError, ValueError):
            lines.append({"goal": goal, "measured": "not measured", "verdict": "unknown"})
            continue
        verdict = "reached" if reached(value) else "missed"
        lines.append({"goal": goal, "measured": f"{value:.4g}", "verdict": verdict})
    return lines
