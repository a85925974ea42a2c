"""One line instead of a traceback when a system library is missing."""

from __future__ import annotations

import sys

import pytest

from engine import libraries
from engine.errors import EngineError

MISSING = "libxcb.so.1: cannot open shared object file: No such file or directory"


@pytest.fixture
def bare_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_loads", lambda _library: False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.parametrize("error", [ImportError(MISSING), OSError(MISSING)])
def test_all_packages_are_named_at_once(bare_debian: None, error: Exception) -> None:
    with pytest.raises(EngineError) as caught, libraries.loading_native_code():
        raise error
    message = str(caught.value)
    assert "libxcb.so.1" in message
    assert message.endswith("apt-get install -y libegl1 libgl1 libgles2 libglib2.0-0")
    assert "\n" not in message


def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_loads", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(sys, "platform", "linux")
    message = libraries.explain(OSError("libEGL.so.1: cannot open shared object file: ..."))
    assert message is not None
    assert message.endswith("install -y libegl1")


def test_an_unknown_library_is_named_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_loads", lambda _library: True)
    message = libraries.explain(ImportError("libodd.so.3: cannot open shared object file: ..."))
    assert message is not None
    assert "libodd.so.3" in message
    assert "apt-get" not in message


def test_other_errors_stay_what_they_are() -> None:
    with (
        pytest.raises(ModuleNotFoundError, match="nowhere"),
        libraries.loading_native_code(),
    ):
        raise ModuleNotFoundError("No module named 'nowhere'")
