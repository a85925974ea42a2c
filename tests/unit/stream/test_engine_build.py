from __future__ import annotations

import sys
import threading

import pytest

from engine.errors import ModelError
from stream.engine_build import EngineBuild

GENEROUS_S = 20.0
"""Proves that nothing hangs; says nothing about speed."""


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_the_engine_is_used_once_it_is_built() -> None:
    used = threading.Event()
    with EngineBuild(python(""), used.set):
        assert used.wait(GENEROUS_S)


def test_a_build_that_fails_changes_nothing_and_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    used = threading.Event()
    code = "import sys; sys.stderr.write('noise\\nout of memory\\n'); sys.exit(1)"
    build = EngineBuild(python(code), used.set)
    with build:
        build._thread.join(GENEROUS_S)
    assert not used.is_set()
    assert caplog.messages == ["TensorRT's engine is not built: out of memory"]


def test_a_build_is_given_up_when_the_run_ends() -> None:
    used = threading.Event()
    build = EngineBuild(
        python("import sys; sys.stdin.read(); import time; time.sleep(600)"), used.set
    )
    with build:
        pass
    assert not build._thread.is_alive()
    assert not used.is_set()


def test_a_command_that_does_not_exist_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    with EngineBuild(["/nowhere/python"], lambda: None) as build:
        build._thread.join(GENEROUS_S)
    assert "not built" in caplog.text


def test_an_engine_that_cannot_be_used_leaves_the_run_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def use() -> None:
        raise ModelError("model b.onnx: failed")

    with EngineBuild(python(""), use) as build:
        build._thread.join(GENEROUS_S)
    assert caplog.messages == ["TensorRT's engine is built, but not used: model b.onnx: failed"]
