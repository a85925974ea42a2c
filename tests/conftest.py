from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator

import pytest

from engine.reports_home import lead_nowhere

lead_nowhere()

# Modules are there to stay: the garbage collector need not look through them while they are
# imported, nor again in every full collection of the run.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


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
