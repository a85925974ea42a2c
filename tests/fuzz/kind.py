"""What a kind of untrusted input is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Reader: TypeAlias = Callable[[bytes], None]
"""Hands one input to the product; returns, or raises what the product raises."""

SECRET = "hunter2hunter2"  # noqa: S105 - to be looked for in messages
"""Password in all seeds that have one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input.

    Attributes:
        seeds: makes good inputs.
        reading: given an empty folder, gives the reader for many inputs.
        refusals: errors with which the product may refuse an input.
        words: what means something in this format.
    """

    seeds: Callable[[], Sequence[bytes]]
    reading: Callable[[Path], AbstractContextManager[Reader]]
    refusals: tuple[type[Exception], ...]
    words: Sequence[bytes] = ()
