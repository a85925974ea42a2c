from __future__ import annotations

import pytest
import torch

from export.model import LIGHT, FaceSwapper
from export.perceptual import Perceptual
from export.pretrained import read_pretrained
from tests.unit.export.tiny_networks import TINY_LIGHT


def blocks(size: int = 64) -> torch.Tensor:
    """Pictures with sharp edges."""
    coarse = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return coarse.repeat_interleave(size // 8, 2).repeat_interleave(size // 8, 3)


def test_equal_pictures_cost_nothing_and_teach_nothing() -> None:
    distance = Perceptual(FaceSwapper(TINY_LIGHT))
    picture = blocks().requires_grad_()
    result = distance(picture, picture.detach())
    assert float(result.detach()) == 0
    result.backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().sum()) == 0


def test_blur_costs_more_than_an_equal_mean_error_of_brightness() -> None:
    distance = Perceptual(read_pretrained("maro").network())
    sharp = blocks()
    blurred = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2, count_include_pad=False)
    brighter = sharp + (blurred - sharp).abs().mean()
    assert float(distance(blurred, sharp)) > 2 * float(distance(brighter, sharp)) > 0


def test_only_the_picture_has_a_gradient() -> None:
    network = FaceSwapper(LIGHT)
    distance = Perceptual(network)
    picture = torch.zeros(1, 3, 64, 64, requires_grad=True)
    distance(picture, blocks()[:1]).backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in distance.parameters())


def test_a_black_target_is_no_division_by_zero() -> None:
    network = FaceSwapper(TINY_LIGHT)
    assert torch.isfinite(Perceptual(network)(blocks(), torch.zeros_like(blocks())))
    assert float(
        Perceptual(network)(torch.ones(1, 3, 8, 8), torch.ones(1, 3, 8, 8))
    ) == pytest.approx(0)
