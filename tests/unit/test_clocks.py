"""How long something took, and when it is due, is told by a clock that nobody can set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    file for name in ("engine", "stream", "export") for file in sorted((ROOT / name).rglob("*.py"))
]

WALL_CLOCKS = frozenset(
    (
        *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
        *("time.strftime", "datetime.now", "datetime.today", "datetime.utcnow", "date.today"),
    )
)
ALLOWED = {
    "stream/recording.py": "names files",
    "stream/session_log.py": "names files, says when",
    "stream/marking/certificate.py": "certificates are valid until a date",
    "stream/web/tls.py": "the same",
    "stream/web/rtc_reports.py": "RTCP's sender reports carry it",
    "export/extraction/scan.py": "names a folder",
    "export/onnx.py": "says when",
}
"""Where the time of day is meant."""


def wall_clocks(source: str) -> Iterator[str]:
    if not any(word in source for word in ("from time import", *WALL_CLOCKS)):
        return  # Only a few files are worth parsing.
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in WALL_CLOCKS:
                yield name
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{each.name}" for each in node.names)


def test_durations_come_from_monotonic_clocks() -> None:
    users = {
        str(file.relative_to(ROOT)): found
        for file in FILES
        if (found := sorted(wall_clocks(file.read_text(encoding="utf-8"))))
    }
    assert users.keys() <= ALLOWED.keys(), users


@pytest.mark.parametrize(
    "line", ["x = time.time() - began", "from time import time", "left = end - datetime.now(UTC)"]
)
def test_the_time_of_day_is_recognized(line: str) -> None:
    assert list(wall_clocks(line))
