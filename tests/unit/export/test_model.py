from __future__ import annotations

import numpy as np
import pytest
import torch

from export.model import LIGHT, ORIGINAL, FaceSwapper, count_macs, shuffle
from tests.unit.export.keras_forward import forward
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL


def parameters(network: FaceSwapper) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_original_has_the_parameters_of_2017() -> None:
    with torch.device("meta"):
        network = FaceSwapper(ORIGINAL)
    encoder = sum(parameter.numel() for parameter in network.encoder.parameters())
    assert (parameters(network), encoder) == (82_062_470, 69_662_976)
    assert count_macs(ORIGINAL) == pytest.approx(1.90e9, rel=0.001)
    assert ORIGINAL.output_size == 64


def test_light_is_small_enough_to_bundle() -> None:
    with torch.device("meta"):
        network = FaceSwapper(LIGHT)
    deployed = sum(parameter.numel() for parameter in network.parameters_of("b"))
    assert deployed == 7_616_464
    assert count_macs(LIGHT) == pytest.approx(0.471e9, rel=0.001)
    assert LIGHT.output_size == 128


@pytest.mark.parametrize("side", ["a", "b"])
def test_original_agrees_with_an_independent_forward_pass(side: str) -> None:
    torch.manual_seed(0)
    network = FaceSwapper(TINY_ORIGINAL).double()
    for parameter in network.parameters():  # biases are zero at first
        torch.nn.init.normal_(parameter, std=0.2)
    face = np.random.default_rng(0).random((16, 16, 3))
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    expected = forward(weights, face, side)
    with torch.no_grad():
        got = network(torch.from_numpy(face.transpose(2, 0, 1)[None]), side)
    np.testing.assert_allclose(got[0].numpy().transpose(1, 2, 0), expected, atol=1e-6)
    assert expected.std() > 0.01


def test_macs_count_what_the_layers_do() -> None:
    network = FaceSwapper(TINY_LIGHT)
    macs = 0

    def count(module: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal macs
        pixels = output.shape[-1] * output.shape[-2] if output.ndim == 4 else 1
        macs += module.weight.numel() * pixels

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.register_forward_hook(count)
    network(torch.rand(1, 3, 32, 32))
    assert macs == count_macs(TINY_LIGHT)


def test_light_draws_a_picture_and_a_mask() -> None:
    with torch.no_grad():
        drawn = FaceSwapper(TINY_LIGHT)(torch.rand(3, 3, 32, 32))
    assert drawn.shape == (3, 4, 64, 64)
    assert drawn.dtype == torch.float32
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1


def test_new_upscales_make_no_checkerboard() -> None:
    with torch.no_grad():
        drawn = FaceSwapper(TINY_LIGHT)(torch.rand(1, 3, 32, 32))
    blocks = drawn.unfold(2, 2, 2).unfold(3, 2, 2)
    assert float(blocks.flatten(4).std(dim=-1).max()) < 1e-6


def test_shuffle_orders_differ_only_in_where_channels_come_from() -> None:
    x = torch.arange(2 * 12 * 3 * 5).float().view(2, 12, 3, 5)
    regrouped = x.view(2, 3, 4, 3, 5).transpose(1, 2).reshape(2, 12, 3, 5)
    assert torch.equal(shuffle(x, keras_order=False), shuffle(regrouped, keras_order=True))
