from __future__ import annotations

import threading

import pytest

from stream.threads import ThreadGroup


def test_block_waits_for_every_thread() -> None:
    done: list[str] = []
    with ThreadGroup(cancel=lambda: None) as group:
        for name in "abc":
            group.start(name, lambda n=name: done.append(n))
    assert sorted(done) == ["a", "b", "c"]
    assert not group.alive


def test_first_failure_cancels_the_others_and_wins() -> None:
    canceled = threading.Event()

    def fail_after_cancel() -> None:
        canceled.wait(5)
        raise OSError("second")

    def fail() -> None:
        raise ValueError("first")

    with (
        pytest.raises(ValueError, match="first") as caught,
        ThreadGroup(cancel=canceled.set) as group,
    ):
        group.start("waits", fail_after_cancel)
        group.start("fails", fail)
    assert caught.value.__notes__ == ["later also: OSError: second"]


def test_failure_of_the_block_itself_cancels_the_threads() -> None:
    canceled = threading.Event()
    with pytest.raises(KeyboardInterrupt), ThreadGroup(cancel=canceled.set) as group:
        group.start("waits", lambda: canceled.wait(5))
        raise KeyboardInterrupt
    assert canceled.is_set()


def test_thread_failure_is_not_hidden_by_a_failure_of_the_block() -> None:
    failed = threading.Event()

    def fail() -> None:
        raise ValueError("thread")

    with (
        pytest.raises(ValueError, match="thread") as caught,
        ThreadGroup(cancel=failed.set) as group,
    ):
        group.start("fails", fail)
        failed.wait(5)
        raise RuntimeError("block")
    assert "while leaving with: RuntimeError: block" in caught.value.__notes__


def test_interrupt_while_joining_cancels_again_and_still_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canceled = threading.Event()
    join, interrupts = ThreadGroup.join, [KeyboardInterrupt("late")]

    def interrupted_join(group: ThreadGroup, timeout_s: float) -> bool:
        if interrupts:
            raise interrupts.pop()
        return join(group, timeout_s)

    monkeypatch.setattr(ThreadGroup, "join", interrupted_join)
    with (
        pytest.raises(KeyboardInterrupt, match="late"),
        ThreadGroup(cancel=canceled.set) as group,
    ):
        group.start("waits", lambda: canceled.wait(5))
    assert canceled.is_set()
    assert not group.alive
