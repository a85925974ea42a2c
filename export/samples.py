"""Batches for training, made ahead in threads.

The batch of a step depends on nothing but the seed, the step and what lies in the folder,
so a resumed training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.augment import Sample
from export.model import Side

T = TypeVar("T")


class Batch(NamedTuple):
    """N samples of one side; shapes as in `augment.Sample` with N in front."""

    side: Side
    face: NDArray[np.uint8]
    target: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    region: NDArray[np.uint8]
    detail: NDArray[np.uint8]


class Source(Protocol):
    """Where batches come from."""

    def refresh(self) -> int:
        """Look for new data; how much there is."""

    def counts(self) -> dict[str, int]:
        """How much data there is, by kind."""

    def draw(self, step: int) -> list[Batch]:
        """The batches of a step."""

    def validation(self, count: int) -> list[Batch]:
        """Held-out batches, always the same."""


def stack(side: Side, samples: list[Sample]) -> Batch:
    """Make one batch of samples of the same sizes."""
    return Batch(side, *(np.stack(parts) for parts in zip(*samples, strict=True)))


def pictures_to_tensor(pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(N, H, W, 3) uint8 BGR -> (N, 3, H, W) float32 RGB 0..1, channels last in memory."""
    moved = torch.from_numpy(pictures).to(device, non_blocking=True)
    return moved.permute(0, 3, 1, 2).flip(1).float().div_(255.0)


def maps_to_tensor(maps: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(N, H, W) uint8 -> (N, 1, H, W) float32 0..1."""
    return torch.from_numpy(maps).to(device, non_blocking=True).unsqueeze(1).float().div_(255.0)


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` items, evenly from first to last."""
    if len(items) <= count:
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]


class Prefetch(Generic[T]):
    """Makes the results of `make(first)`, `make(first + 1)`, ... ahead, in order.

    Args:
        make: called in worker threads with the step.
        first: first step.
        ahead: at most so many results wait.
        workers: threads; OpenCV and NumPy release the GIL.

    A failure of `make` is raised where its result is taken.
    """

    def __init__(
        self, make: Callable[[int], T], first: int, *, ahead: int = 4, workers: int = 1
    ) -> None:
        self._make, self._next = make, first
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="samples")
        self._waiting: deque[Future[T]] = deque()
        for _ in range(ahead):
            self._submit()

    def _submit(self) -> None:
        self._waiting.append(self._pool.submit(self._make, self._next))
        self._next += 1

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        result = self._waiting.popleft().result()
        self._submit()
        return result

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(cancel_futures=True)
