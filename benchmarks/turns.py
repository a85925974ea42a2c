"""Ways of doing the same thing, timed in turn so that a busy moment strikes all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def best_of_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least processor time that each way took, in seconds of this thread.

    Args:
        ways: by name; called once more before anything counts, because the first call compiles.
        rounds: how often each is timed.
    """
    best_s = dict.fromkeys(ways, float("inf"))
    for number in range(rounds + 1):
        for name, work in ways.items():
            began_s = time.thread_time()
            work()
            if number:
                best_s[name] = min(best_s[name], time.thread_time() - began_s)
    return best_s
