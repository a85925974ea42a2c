from __future__ import annotations

import signal

import pytest

from export.interrupts import interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_ask_to_stop_and_are_what_they_were_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    asked: list[None] = []
    with interrupts(lambda: asked.append(None)):
        signal.raise_signal(number)
        signal.raise_signal(number)
    assert len(asked) == 2
    assert signal.getsignal(number) == before
