from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from export.losses import (
    LossWeights,
    dssim,
    edge,
    l1,
    pixel_weights,
    portrait_loss,
    ssim_map,
)


@pytest.fixture
def target() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 8, 8, generator=generator)
    return torch.nn.functional.interpolate(coarse, 32, mode="bicubic").clamp(0, 1)


FLAT = torch.ones(2, 1, 32, 32)


def blur(picture: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(picture, 5, 1, 2, count_include_pad=False)


def test_nothing_is_charged_for_the_target_itself(target: Tensor) -> None:
    assert float(l1(target, target, FLAT)) == 0
    assert float(edge(target, target, FLAT)) == 0
    assert float(dssim(target, target, FLAT)) == pytest.approx(0, abs=1e-5)


def test_brightness_costs_l1_but_no_edge(target: Tensor) -> None:
    brighter = target + 0.1
    assert float(l1(brighter, target, FLAT)) == pytest.approx(0.1, rel=1e-4)
    assert float(edge(brighter, target, FLAT)) == pytest.approx(0, abs=1e-6)


def test_blur_costs_structure_more_than_brightness_does(target: Tensor) -> None:
    blurred = blur(target)
    shift = float(l1(blurred, target, FLAT))
    assert float(dssim(blurred, target, FLAT)) > 3 * float(dssim(target + shift, target, FLAT))


def test_ssim_is_that_of_its_definition() -> None:
    """In the middle of a picture, against the formula with the window written out."""
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 16, 16))
    box5, box3 = np.ones(5) / 5, np.ones(3) / 3
    # Two boxes in a row; the second steps over every second pixel of the first.
    spread = np.convolve(box5, np.kron(box3, [1, 0])[:-1])
    window = np.outer(spread, spread)
    half = len(spread) // 2
    row = column = 8
    area = np.s_[row - half : row + half + 1, column - half : column + half + 1]
    mean_x, mean_y = (window * x[area]).sum(), (window * y[area]).sum()
    var_x = (window * x[area] ** 2).sum() - mean_x**2
    var_y = (window * y[area] ** 2).sum() - mean_y**2
    both = (window * x[area] * y[area]).sum() - mean_x * mean_y
    c1, c2 = 0.0001, 0.0009
    expected = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    expected /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    pictures = [torch.from_numpy(one).float().expand(1, 3, 16, 16) for one in (x, y)]
    assert float(ssim_map(*pictures)[0, 0, row // 2, column // 2]) == pytest.approx(expected, 1e-3)


def test_weights_have_mean_one_and_favor_eyes() -> None:
    face, detail = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    face[..., 2:6, 2:6] = 1
    detail[..., 3, 3] = 1
    weight = pixel_weights(face, detail, LossWeights(background=0.1, detail=4.0))
    assert float(weight.mean()) == pytest.approx(1.0)
    assert float(weight[0, 0, 3, 3] / weight[0, 0, 2, 2]) == pytest.approx(5.0)
    assert float(weight[0, 0, 0, 0] / weight[0, 0, 2, 2]) == pytest.approx(0.1)


def test_skin_counts_more_and_its_absence_changes_nothing() -> None:
    face, detail = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    skin = torch.zeros(2, 1, 8, 8)
    skin[0, :, :4] = 1
    weight = pixel_weights(face, detail, LossWeights(skin=0.5), skin)
    assert float(weight[0, 0, 0, 0] / weight[0, 0, 7, 0]) == pytest.approx(1.5)
    assert torch.equal(weight[1], pixel_weights(face, detail, LossWeights())[1])
    assert float(weight.mean()) == pytest.approx(1.0)


def test_the_mask_is_charged_only_where_there_is_one(target: Tensor) -> None:
    drawn = torch.cat([target, FLAT * 0.9], dim=1)
    weights = LossWeights()
    right, wrong = (
        portrait_loss(drawn, target, mask, FLAT, weights)["mask"] for mask in (FLAT, 1 - FLAT)
    )
    assert float(right) < 0.2
    assert float(wrong) > 2
    assert "mask" not in portrait_loss(target, target, FLAT, FLAT, weights)
