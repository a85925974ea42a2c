"""Several threads, one batch: who is put together with whom, and what each gets."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.execution.gathering import Array, Gathering
from tests.held_model import LONG_S, Model, doubled, held, rows, with_events


def test_who_comes_alone_runs_at_once_on_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class NeverWaiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert self.is_set(), "an idle model was waited for"
            return super().wait(timeout)

    with_events(monkeypatch, NeverWaiting)
    answer, threads = np.ones((1, 2), np.float32), []

    def run(_: object, feeds: Mapping[str, Array]) -> list[Array]:
        threads.append(threading.current_thread())
        assert feeds is asked
        return [answer]

    gathered = Gathering(run, 64)
    for _ in range(3):
        asked = rows(1)
        assert gathered.run(["swapped"], asked)[0] is answer
    assert threads == [threading.current_thread()] * 3
    assert (gathered.runs, gathered.rows, gathered.waiting) == (3, 3, 0)


def test_those_who_come_during_a_run_are_the_next_batch() -> None:
    callers = held(model := Model())
    for values in ([1], [2, 3], [4, 5, 6], [7]):
        callers.ask(rows(*values))
    assert callers.join() == [[0], [2], [4, 6], [8, 10, 12], [14]]
    assert model.batches == [[0], [1, 2, 3, 4, 5, 6, 7]]
    assert (callers.gathered.runs, callers.gathered.rows) == (2, 8)


def test_answers_are_arrays_of_their_own() -> None:
    callers = held(Model())
    callers.ask(rows(1))
    callers.ask(rows(2))
    callers.join()
    for answer in callers.results:
        assert isinstance(answer, np.ndarray)
        assert answer.base is None
        assert answer.flags.c_contiguous


def test_batches_keep_the_limit_and_the_order() -> None:
    callers = held(model := Model(), most_rows=4)
    for values in ([1, 1], [2, 2], [3], [4] * 5, [5]):
        callers.ask(rows(*values))
    assert callers.join() == [[0], [2, 2], [4, 4], [6], [8] * 5, [10]]
    assert model.batches == [[0], [1, 1, 2, 2], [3], [4] * 5, [5]]


def test_nobody_is_overtaken_however_many_come() -> None:
    callers = held(model := Model(), most_rows=2)
    for number in range(1, 5):
        callers.ask(rows(number))
    for late in (5, 6, 7):
        model.go_on()
        model.wait_for_a_run()
        callers.ask(rows(late))
    callers.join()
    assert model.batches == [[0], [1, 2], [3, 4], [5, 6], [7]]


def test_what_differs_is_not_put_together() -> None:
    callers = held(model := Model())
    callers.ask(rows(1))
    callers.ask(rows(2, width=3))
    callers.ask(rows(3, width=3))
    callers.ask(rows(4, width=3), ("swapped", "mask"))
    callers.ask({"face": rows(5, width=3)["face"].astype(np.float16)})
    callers.ask({**rows(6, width=3), "second": np.zeros((2, 1), np.float32)})
    callers.ask(rows(width=3))
    callers.ask(rows(8, width=3))
    assert callers.join() == [[0], [2], [4], [6], [8], [10], [12], [], [16]]
    assert model.batches == [[0], [1], [2, 3], [4], [5], [6], [], [8]]


@pytest.mark.usefixtures("switch_interval")
def test_many_threads_get_what_they_would_get_alone() -> None:
    running = threading.Lock()

    def model(outputs: list[str], feeds: Mapping[str, Array]) -> list[Array]:
        assert running.acquire(blocking=False), "two runs at a time"
        assert len(feeds["face"]) <= 12
        try:
            return doubled(outputs, feeds)
        finally:
            running.release()

    gathered = Gathering(model, 12, LONG_S)

    def work(seed: int) -> None:
        dice = np.random.default_rng(seed)
        for _ in range(25):
            asked = rows(*dice.random(dice.integers(1, 5)), width=dice.choice((2, 2, 2, 3)))
            (answer,) = gathered.run(["swapped"], asked)
            np.testing.assert_array_equal(answer, asked["face"] * 2)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, seed) for seed in range(8)]:
            done.result(LONG_S)
    assert gathered.waiting == 0
    assert gathered.runs <= 8 * 25
