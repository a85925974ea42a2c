from __future__ import annotations

from types import SimpleNamespace

import pytest

from stream import call
from stream.report import StageMeter
from tests.unit.stream.test_pipeline import frames


def test_frames_that_go_together_share_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    wall_ns, cpu_ns = iter((100, 900)), iter((10, 50))
    clocks = SimpleNamespace(
        monotonic_ns=lambda: next(wall_ns), thread_time_ns=lambda: next(cpu_ns)
    )
    monkeypatch.setattr(call, "time", clocks)
    meter = StageMeter()
    with call.timed("swap", list(frames(8)), meter):
        pass
    assert (meter.busy.count, meter.busy.total_ns, meter.cpu_ns) == (8, 800, 40)
    assert meter.busy.percentiles_ms(50) == (100 / 1e6,)


def test_what_fails_is_named_and_not_timed() -> None:
    meter = StageMeter()
    with (
        pytest.raises(ValueError, match="cannot") as caught,
        call.timed("out", [*frames(3)], meter),
    ):
        raise ValueError("cannot")
    assert caught.value.__notes__ == ["in 'out', frames 0 to 2, 0.000 s"]
    assert meter.busy.count == 0
