from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_file_left_open() -> Iterator[None]:
    """Sources and sinks give every file and socket back, after errors too."""
    if sys.platform != "linux":
        yield
        return
    before = _open_files()
    yield
    assert _open_files() <= before


def _open_files() -> set[str]:
    names = set()
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208 - links that may be gone
        try:
            names.add(os.readlink(f"/proc/self/fd/{entry}"))  # noqa: PTH115 - the same
        except OSError:
            continue
    return {name for name in names if not name.startswith(("/proc/", "/dev/", "anon_inode"))}
