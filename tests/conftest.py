from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Tests judge results, not the machine: the first example may wait for a compiler, and any of
# them for a busy processor.
settings.register_profile("facestream", deadline=None)
settings.load_profile("facestream")


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(timeout=2)
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"threads outlived their test: {names}"


@pytest.fixture(params=[None, 1e-6], ids=["normal-switching", "frantic-switching"])
def switch_interval(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a concurrency test again with threads that are switched as often as can be."""
    before = sys.getswitchinterval()
    if request.param is not None:
        sys.setswitchinterval(request.param)
    yield
    sys.setswitchinterval(before)
