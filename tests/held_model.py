"""A model whose runs a test holds, and the threads that ask it together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from engine.execution import gathering
from engine.execution.gathering import Array, Gathering, Run

LONG_S = 20.0
"""Far more than anything here takes: only what hangs takes longer."""


def rows(*values: float, width: int = 2) -> dict[str, Array]:
    return {"face": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}


def doubled(outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
    return [feeds["face"] * 2 for _ in outputs]


class Model:
    """Doubles its rows, one run at a time, each of which the test lets go on.

    Attributes:
        batches: the first column of each run's rows.
    """

    def __init__(self, answer: Run = doubled) -> None:
        self.batches: list[list[float]] = []
        self._answer = answer
        self._began = threading.Semaphore(0)
        self._goes_on = threading.Semaphore(0)

    def __call__(self, outputs: list[str], feeds: Mapping[str, Array]) -> list[Array]:
        self.batches.append(feeds["face"][:, 0].tolist())
        self._began.release()
        assert self._goes_on.acquire(timeout=LONG_S)
        return self._answer(outputs, feeds)

    def wait_for_a_run(self) -> None:
        assert self._began.acquire(timeout=LONG_S)

    def go_on(self, runs: int = 1) -> None:
        self._goes_on.release(runs)


class Callers:
    """Threads that ask, and what became of it."""

    def __init__(self, gathered: Gathering, model: Model) -> None:
        self.gathered = gathered
        self.model = model
        self.threads: list[threading.Thread] = []
        self.results: list[Array | BaseException | None] = []

    def ask(self, feeds: Mapping[str, Array], outputs: Sequence[str] = ("swapped",)) -> None:
        """Start a thread, and return when it runs (the first one) or waits in the line."""
        number, before = len(self.results), self.gathered.waiting

        def work() -> None:
            try:
                (self.results[number], *_) = self.gathered.run(list(outputs), feeds)
            except BaseException as error:  # noqa: BLE001 - what came is judged by the test
                self.results[number] = error

        self.results.append(None)
        self.threads.append(threading.Thread(target=work, name=f"caller-{number}"))
        self.threads[-1].start()
        if number == 0:
            self.model.wait_for_a_run()
        else:
            until(lambda: self.gathered.waiting > before)

    def join(self) -> list[list[float] | BaseException | None]:
        """Let all go on, and give the first column of each answer, or what was raised."""
        self.model.go_on(100)
        for thread in self.threads:
            thread.join(LONG_S)
            assert not thread.is_alive(), "a caller waits for ever"
        return [
            result[:, 0].tolist() if isinstance(result, np.ndarray) else result
            for result in self.results
        ]


def until(so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.001)):
        if so():
            return
        pause.wait(0.001)
    raise AssertionError("never came to be")


def with_events(monkeypatch: pytest.MonkeyPatch, kind: type[threading.Event]) -> None:
    """Have callers wait by another kind of event; threads go on starting with the usual one."""
    names = SimpleNamespace(Event=kind, Lock=threading.Lock)
    monkeypatch.setattr(gathering, "threading", names)


def held(model: Model, most_rows: int = 64) -> Callers:
    """A model in the middle of the first caller's run, whose one row is 0."""
    callers = Callers(Gathering(model, most_rows, LONG_S), model)
    callers.ask(rows(0))
    return callers
