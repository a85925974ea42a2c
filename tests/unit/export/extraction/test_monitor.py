from __future__ import annotations

import signal

import pytest

from export.extraction.monitor import terminal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_one_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with terminal() as monitor:
        monitor.show("finding", 1, None)
        assert not monitor.stopped
        signal.raise_signal(number)
        assert monitor.stopped
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_lines_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal() as monitor:
        monitor.say("clip [bold]: 3 faces")
    assert "clip [bold]: 3 faces" in capsys.readouterr().err
