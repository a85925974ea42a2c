"""Gradients of one step, computed for parts of its batch at the same time.

On a CPU the batch is split between threads that each compute their own gradients: they meet
once a step, where threads inside every operation would meet hundreds of times and wait for
each other whenever something else wants a core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import torch
from torch import Tensor, nn

from export.samples import Batch

Terms: TypeAlias = dict[str, Tensor]
"""Scalars by name."""

Differentiate: TypeAlias = Callable[[list[Batch]], tuple[Terms, Sequence[Tensor]]]
"""From a part of a step's batches to the terms of its loss and its gradients."""


def accumulate(
    batches: list[Batch],
    differentiate: Differentiate,
    parameters: Sequence[nn.Parameter],
    pool: ThreadPoolExecutor | None = None,
    parts: int = 1,
) -> dict[str, float]:
    """Set the gradient of every parameter to its mean over the step's samples.

    Args:
        batches: of the step.
        differentiate: gives gradients in the order of `parameters`.
        parameters: `grad` is replaced.
        pool: where parts are computed; None computes the whole batch here.
        parts: into how many parts to split, as far as there are samples.

    Returns:
        The terms of the loss, likewise averaged.
    """
    count = min([parts if pool else 1, *(len(batch.face) for batch in batches)])
    split = [
        [Batch(batch.side, *(array[k::count] for array in batch[1:])) for batch in batches]
        for k in range(count)
    ]
    total = sum(len(batch.face) for batch in batches)
    shares = [sum(len(batch.face) for batch in part) / total for part in split]
    results = list(pool.map(differentiate, split)) if pool else [differentiate(split[0])]
    for index, parameter in enumerate(parameters):
        gradient = results[0][1][index].mul_(shares[0])
        for share, (_, gradients) in zip(shares[1:], results[1:], strict=True):
            gradient.add_(gradients[index], alpha=share)
        parameter.grad = in_memory_order_of(parameter, gradient)
    return {
        name: sum(
            share * float(terms[name].detach())
            for share, (terms, _) in zip(shares, results, strict=True)
        )
        for name in results[0][0]
    }


def in_memory_order_of(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Lay a tensor out like a parameter.

    Fused Adam walks over weights, gradients and moments in memory order, so theirs must be
    the same; a file stores none, and `autograd.grad` promises none.
    """
    if tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter, requires_grad=False).copy_(tensor)
