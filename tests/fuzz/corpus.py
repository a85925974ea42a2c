"""The inputs that are read in every test run: those that were once answered unlike others."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("corpus.json")


def corpus() -> dict[str, list[int]]:
    """Numbers of inputs by kind."""
    numbers: dict[str, list[int]] = json.loads(FILE.read_text(encoding="utf-8"))
    return numbers
