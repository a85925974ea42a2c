"""Runs that fail or hang and callers that go away cost nobody else anything."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import pytest

from engine.execution.gathering import Array
from tests.held_model import LONG_S, Model, doubled, held, rows, until, with_events


def out_of_memory(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
    if len(feeds["face"]) > 2:
        raise RuntimeError("out of memory")
    return doubled(outputs, feeds)


def test_a_batch_that_is_too_large_for_the_device_costs_nobody_anything() -> None:
    callers = held(model := Model(out_of_memory))
    for number in range(1, 6):
        callers.ask(rows(number))
    for _ in range(3):
        model.go_on()
        model.wait_for_a_run()
    for number in range(6, 9):
        callers.ask(rows(number))
    assert callers.join() == [[2 * number] for number in range(9)]
    # One by one, and not so many at once again.
    assert model.batches == [[0], [1, 2, 3, 4, 5], [1], [2], [3], [4], [5], [6, 7], [8]]


def test_an_error_belongs_to_the_one_whose_rows_raise_it() -> None:
    def fails_for_three(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        if 3 in feeds["face"]:
            raise RuntimeError("three")
        return doubled(outputs, feeds)

    callers = held(Model(fails_for_three))
    for number in range(1, 6):
        callers.ask(rows(number))
    results = callers.join()
    assert str(results.pop(3)) == "three"
    assert results == [[0], [2], [4], [8], [10]]


def test_a_device_that_is_gone_gives_each_an_error_of_its_own() -> None:
    def fails(*_: object) -> list[Array]:
        raise RuntimeError("device lost")

    callers = held(Model(fails))
    for number in range(1, 5):
        callers.ask(rows(number))
    results = callers.join()
    assert {str(result) for result in results} == {"device lost"}
    assert len(set(map(id, results))) == 5
    assert callers.gathered.waiting == 0


def test_answers_with_another_number_of_rows_are_not_shared_out() -> None:
    callers = held(model := Model(lambda _, feeds: [feeds["face"][:1] * 2]))
    callers.ask(rows(1))
    callers.ask(rows(2))
    assert callers.join() == [[0], [2], [4]]
    assert model.batches == [[0], [1, 2], [1], [2]]


def test_followers_of_an_interrupted_leader_are_served() -> None:
    def interrupted(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        if feeds["face"][0, 0] == 1:
            raise KeyboardInterrupt
        return doubled(outputs, feeds)

    callers = held(model := Model(interrupted))
    for number in range(1, 5):
        callers.ask(rows(number))
    model.go_on()
    model.wait_for_a_run()
    callers.ask(rows(5))
    first, interrupt, *others = callers.join()
    assert first == [0]
    assert isinstance(interrupt, KeyboardInterrupt)
    assert others == [[4], [6], [8], [10]]
    assert model.batches == [[0], [1, 2, 3, 4], [2, 3, 4, 5]]


@pytest.mark.parametrize("who", ["first in the line", "last in the line"])
def test_who_is_interrupted_while_waiting_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    name = {"first in the line": "caller-1", "last in the line": "caller-3"}[who]
    interrupt = threading.Semaphore(0)

    class Interruptible(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if threading.current_thread().name == name:
                assert interrupt.acquire(timeout=LONG_S)
                raise KeyboardInterrupt
            return super().wait(timeout)

    with_events(monkeypatch, Interruptible)
    callers = held(model := Model())
    for number in (1, 2, 3):
        callers.ask(rows(number))
    if who == "first in the line":
        # By now it is the one that is to lead.
        model.go_on()
        callers.threads[0].join(LONG_S)
    interrupt.release()
    callers.threads[int(name[-1])].join(LONG_S)
    results = callers.join()
    assert isinstance(results.pop(int(name[-1])), KeyboardInterrupt)
    assert all(isinstance(result, list) for result in results)
    assert len(model.batches[-1]) == 2


def test_who_went_away_is_not_waited_for_when_a_batch_is_done_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupt = threading.Semaphore(0)

    class Interruptible(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if threading.current_thread().name == "caller-2":
                assert interrupt.acquire(timeout=LONG_S)
                raise KeyboardInterrupt
            return super().wait(timeout)

    def fails_together(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        if len(feeds["face"]) > 1:
            raise RuntimeError("out of memory")
        return doubled(outputs, feeds)

    with_events(monkeypatch, Interruptible)
    callers = held(model := Model(fails_together))
    callers.ask(rows(1))
    callers.ask(rows(2, 2, 2))
    model.go_on()
    model.wait_for_a_run()
    interrupt.release()
    callers.threads[2].join(LONG_S)
    callers.ask(rows(3))
    results = callers.join()
    assert isinstance(results.pop(2), KeyboardInterrupt)
    assert results == [[0], [2], [6]]
    assert model.batches == [[0], [1, 2, 2, 2], [1], [3]]


@pytest.fixture
def patience_ends(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Once it is set, whoever waits finds again and again that it has waited for too long."""
    ends = threading.Event()

    class Impatient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == LONG_S
            while not super().wait(0.001):
                if ends.is_set():
                    return False
            return True

    with_events(monkeypatch, Impatient)
    return ends


def test_a_run_that_hangs_holds_nobody_up(
    patience_ends: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    callers = held(model := Model())
    callers.ask(rows(1))
    callers.ask(rows(2))
    patience_ends.set()
    model.wait_for_a_run()
    # The first run still lasts, and another one is under way beside it.
    assert model.batches[0] == [0]
    assert model.batches[1][0] == 1
    assert "going on" in caplog.text
    assert callers.join() == [[0], [2], [4]]
    assert callers.gathered.run(["swapped"], rows(3))[0][0, 0] == 6
    assert callers.gathered.waiting == 0


def test_followers_of_a_leader_that_hangs_are_served_by_the_next(
    patience_ends: threading.Event,
) -> None:
    callers = held(model := Model())
    for number in (1, 2, 3):
        callers.ask(rows(number))
    model.go_on()
    model.wait_for_a_run()
    patience_ends.set()
    model.wait_for_a_run()
    assert model.batches[1] == [1, 2, 3]
    assert model.batches[2][0] == 2
    assert callers.join() == [[0], [2], [4], [6]]


def test_a_leader_that_was_given_up_and_comes_back_lets_nobody_begin(
    patience_ends: threading.Event,
) -> None:
    late = threading.Event()

    def slow(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        if feeds["face"][0, 0] == 1:
            assert late.wait(LONG_S)
        return doubled(outputs, feeds)

    callers = held(model := Model(slow))
    callers.ask(rows(1))
    callers.ask(rows(2))
    model.go_on(2)
    until(lambda: len(model.batches) == 2)
    patience_ends.set()
    until(lambda: len(model.batches) == 3)
    patience_ends.clear()
    callers.ask(rows(3))
    late.set()
    callers.threads[1].join(LONG_S)
    # What is wrong would begin now.
    threading.Event().wait(0.02)
    assert model.batches == [[0], [1, 2], [2]]
    assert callers.gathered.waiting == 1
    assert callers.join() == [[0], [2], [4], [6]]


def test_a_leader_that_was_given_up_and_fails_disturbs_nobody(
    patience_ends: threading.Event,
) -> None:
    """Its batch fails when others have long taken its followers along."""
    late = threading.Event()

    def fails_late(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        if feeds["face"][0, 0] == 1 and len(feeds["face"]) > 1:
            assert late.wait(LONG_S)
            raise RuntimeError("too late")
        return doubled(outputs, feeds)

    callers = held(model := Model(fails_late))
    for number in (1, 2, 3):
        callers.ask(rows(number))
    model.go_on(2)
    model.wait_for_a_run()
    patience_ends.set()
    model.go_on(10)
    for thread in callers.threads[2:]:
        thread.join(LONG_S)
    late.set()
    assert callers.join() == [[0], [2], [4], [6]]
    assert model.batches[-1] == [1]
    assert callers.gathered.waiting == 0
