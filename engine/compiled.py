"""How pixel loops are compiled: without the GIL, on first call, kept on disk if possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a loop over arrays with Numba; other threads run while it runs.

    Nothing is compiled at import: the first call with new types does it and takes about a
    second, later processes load the result from `__pycache__`, from `NUMBA_CACHE_DIR`, or
    from the user's cache folder. Where none of these can be written (a read-only install
    without a home), every process compiles for itself.
    """
    try:
        loop = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # Numba found no folder to keep the machine code in.
        loop = numba.njit(nogil=True)(function)
    return cast("Function", loop)
