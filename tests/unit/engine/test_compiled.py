"""Compiled loops work with and without a folder to keep them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from engine.compiled import compiled


def _double(values: np.ndarray) -> None:
    for i in range(values.size):
        values[i] *= 2


def test_nothing_is_compiled_before_the_first_call() -> None:
    loop: Any = compiled(_double)
    assert not loop.signatures
    values = np.arange(3.0)
    loop(values)
    assert values.tolist() == [0.0, 2.0, 4.0]
    assert len(loop.signatures) == 1
    assert loop.targetoptions["nogil"]


def test_without_a_cache_folder_it_compiles_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit

    def refuse_to_cache(**options: object) -> Callable[..., object]:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", refuse_to_cache)
    with pytest.raises(RuntimeError):
        numba.njit(cache=True)
    values = np.arange(3.0)
    compiled(_double)(values)
    assert values.tolist() == [0.0, 2.0, 4.0]
