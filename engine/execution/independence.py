"""Whether the rows of a batch can come from pictures that have nothing to do with each other."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np

from engine.errors import ModelError
from engine.execution.gathering import Array, Run

Signature = tuple[tuple[int | None, ...], type | None]
"""Shape, where a free dimension is None, and dtype, None if it is not a floating-point one."""

MOST_DIFFERENCE: Final = 0.01
"""Between a row alone and in a batch, of values from 0 to 1: two and a half gray levels. Kernels
for other batch sizes round otherwise, on GPUs in the third decimal place."""

_BRIGHTNESS: Final = ((0.0, 0.2), (0.0, 1.0), (0.8, 1.0))


def rows_are_independent(
    run: Run, inputs: Mapping[str, Signature], outputs: Mapping[str, Signature]
) -> bool:
    """Run a dark, a mixed and a bright row of noise together and each alone.

    A model that normalizes over the batch answers such rows quite differently.

    Args:
        run: runs the model.
        inputs: names and signatures of what it takes.
        outputs: of what it gives.

    Returns:
        True if the number of rows is free and a row's answer does not depend on the others.
    """
    if any(shape[:1] != (None,) for shape, _ in (*inputs.values(), *outputs.values())):
        return False
    if any(dtype is None or None in shape[1:] for shape, dtype in inputs.values()):
        return False
    batch = {name: noise(shape, dtype) for name, (shape, dtype) in inputs.items()}
    names = list(outputs)
    try:
        together = run(names, batch)
        for row in range(len(_BRIGHTNESS)):
            alone = run(names, {name: value[row : row + 1] for name, value in batch.items()})
            for whole, part in zip(together, alone, strict=True):
                # A value that is no number is not within any distance.
                if (len(whole), len(part)) != (len(_BRIGHTNESS), 1) or not np.all(
                    np.abs(whole[row] - part[0]) <= MOST_DIFFERENCE
                ):
                    return False
    except ModelError:
        return False
    return True


def noise(shape: tuple[int | None, ...], dtype: type | None) -> Array:
    """A dark, a mixed and a bright row; or the number of rows that a model asks for.

    Args:
        shape: of an input; only the number of rows may be free.
        dtype: of the input.
    """
    random = np.random.default_rng(0)
    sizes = [size for size in shape[1:] if size is not None]
    levels = itertools.islice(itertools.cycle(_BRIGHTNESS), shape[0] or len(_BRIGHTNESS))
    return np.stack([random.uniform(low, high, sizes) for low, high in levels]).astype(dtype)
