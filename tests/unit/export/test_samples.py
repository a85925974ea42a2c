from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from export.samples import Prefetch, maps_to_tensor, pictures_to_tensor, spread

CPU = torch.device("cpu")


def test_pictures_become_rgb_planes() -> None:
    pictures = np.zeros((1, 2, 3, 3), np.uint8)
    pictures[0, 1, 2] = (255, 0, 51)  # BGR
    tensor = pictures_to_tensor(pictures, CPU)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor[0, :, 1, 2].tolist() == pytest.approx([0.2, 0.0, 1.0])


def test_maps_become_one_channel() -> None:
    tensor = maps_to_tensor(np.full((2, 3, 4), 255, np.uint8), CPU)
    assert tensor.shape == (2, 1, 3, 4)
    assert float(tensor.min()) == 1.0


def test_spread_takes_from_everywhere() -> None:
    assert spread(range(10), 20) == list(range(10))
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]


def test_prefetched_results_come_in_order_from_the_first_step() -> None:
    with Prefetch(lambda step: step * step, 3, ahead=4, workers=3) as results:
        assert [next(results) for _ in range(20)] == [step * step for step in range(3, 23)]


def test_prefetch_works_ahead_but_not_without_end() -> None:
    made: list[int] = []
    third = threading.Event()

    def make(step: int) -> int:
        made.append(step)
        if step == 2:
            third.set()
        return step

    with Prefetch(make, 0, ahead=3):
        assert third.wait(5)
    assert made == [0, 1, 2]


def test_a_failure_is_raised_where_its_result_is_taken() -> None:
    with Prefetch(lambda step: 1 // (step - 1), 0, ahead=2) as results:
        assert next(results) == -1
        with pytest.raises(ZeroDivisionError):
            next(results)
