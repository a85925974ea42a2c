"""The inputs that are read in every test run: those that were once answered unlike others."""

from __future__ import annotations

import json
from pathlib import Path

FOUND_BUGS = {
    "mov": (164,),
    "mkv": (475,),
    "ts": (3, 70, 130, 189, 384, 525),
    "still": (39, 47, 56, 59),
    "model-graph": (27, 378, 457, 610, 822),
    "toml": (12, 64, 342),
    "set": (36, 81, 96, 159, 399, 446, 484, 542),
    "checkpoint": (132,),
    "checkpoint-state": (0, 1, 139),
    "http": (674, 698),
}
"""Inputs that were once answered with a crash, a traceback, a secret, or gigabytes of memory."""

FILE = Path(__file__).with_name("corpus.json")


def corpus() -> dict[str, list[int]]:
    """Numbers of inputs by kind."""
    numbers: dict[str, list[int]] = json.loads(FILE.read_text(encoding="utf-8"))
    return numbers
