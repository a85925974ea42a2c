"""Ending FFmpeg's waits, tried on pipes that nobody writes to and on PyAV's own clock."""

from __future__ import annotations

import os
import threading
import time

import av.container.core
import pytest

from stream.sources.interruption import Interruption

clock = av.container.core.time  # type: ignore[attr-defined]


def test_the_clock_is_the_system_s_where_nobody_waits() -> None:
    before_s = time.monotonic()
    assert before_s <= clock.monotonic() <= time.monotonic()
    with Interruption().within(5):
        assert clock.monotonic is time.monotonic, "nothing of ours runs on the main thread"


def on_a_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_the_clock_runs_away_when_stopped_and_only_on_that_thread() -> None:
    interruption = Interruption()
    seen: list[float] = []

    def waits() -> None:
        with interruption.within(5):
            seen.append(clock.monotonic())
            interruption.stop()
            seen.extend((clock.monotonic(), clock.monotonic()))
        seen.append(clock.monotonic())

    on_a_thread(waits)
    early, first, second, late = seen
    assert abs(early - time.monotonic()) < 60
    # PyAV starts its timeout by one reading and compares with the next ones.
    assert second - first > 1e6
    assert first - early > 1e6
    assert abs(late - time.monotonic()) < 60


def test_the_clock_runs_away_when_time_is_up() -> None:
    seen: list[float] = []

    def waits() -> None:
        with Interruption().within(0):
            seen.append(clock.monotonic())

    on_a_thread(waits)
    assert seen[0] - time.monotonic() > 1e6


def test_a_device_is_asked_for_data_before_it_is_read() -> None:
    interruption = Interruption()
    assert interruption.has_data(), "only devices are asked"
    reader, writer = os.pipe()
    try:
        interruption.descriptor = reader
        assert not interruption.has_data()
        os.write(writer, b"picture")
        assert interruption.has_data()
        os.read(reader, 7)
        interruption.stop()
        assert interruption.has_data(), "who is stopped waits for nothing"
    finally:
        os.close(reader)
        os.close(writer)


def test_what_waits_runs_beside_the_main_thread_and_hands_back_what_it_found() -> None:
    interruption = Interruption()
    assert interruption.on_a_thread(threading.current_thread) is not threading.main_thread()
    with pytest.raises(ZeroDivisionError):
        interruption.on_a_thread(lambda: 1 / 0)


def test_ctrl_c_ends_what_waits_before_it_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    interruption = Interruption()
    ended = threading.Event()
    join = threading.Thread.join

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if not interruption.stopped:
            raise KeyboardInterrupt
        join(thread, timeout)

    def waits() -> None:
        while not interruption.stopped:
            os.sched_yield()
        ended.set()

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        interruption.on_a_thread(waits)
    assert ended.is_set()
