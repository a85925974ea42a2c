from __future__ import annotations

import pytest
import torch

from export import optimizers
from export.checkpoint import Checkpoint
from export.model import FaceSwapper
from export.schedule import Schedule
from tests.unit.export.tiny_networks import TINY_LIGHT


def stepped(network: FaceSwapper, schedule: Schedule) -> torch.optim.Adam:
    optimizer = optimizers.make_optimizer(network, [network.decoders["b"]], schedule)
    for parameter in optimizers.parameters_of(optimizer):
        parameter.grad = torch.ones_like(parameter)
    optimizers.set_rate(optimizer, 0.01)
    optimizer.step()
    return optimizer


def test_the_encoder_learns_at_its_share_of_the_rate() -> None:
    network = FaceSwapper(TINY_LIGHT)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    stepped(network, Schedule(encoder=0.1))
    moved = {
        name: float((tensor - before[name]).abs().mean())
        for name, tensor in network.state_dict().items()
    }
    # Adam's first step is as long as the rate.
    assert moved["encoder.squeeze.weight"] == pytest.approx(0.001, rel=1e-3)
    assert moved["decoders.b.head.weight"] == pytest.approx(0.01, rel=1e-3)
    assert moved["decoders.a.head.weight"] == 0


def test_a_frozen_encoder_is_no_parameter() -> None:
    network = FaceSwapper(TINY_LIGHT)
    optimizer = stepped(network, Schedule(encoder=0.0))
    assert {id(one) for one in optimizers.parameters_of(optimizer)} == {
        id(one) for one in network.decoders["b"].parameters()
    }


def test_what_is_stored_is_restored() -> None:
    network = FaceSwapper(TINY_LIGHT).to(memory_format=torch.channels_last)
    optimizer = stepped(network, Schedule())
    tensors = {
        name: tensor.clone() for name, tensor in optimizers.state_tensors([optimizer]).items()
    }
    fresh = optimizers.make_optimizer(network, [network.decoders["b"]], Schedule())
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    optimizers.restore([fresh], Checkpoint(contiguous, {}))
    restored = optimizers.state_tensors([fresh])
    assert restored.keys() == tensors.keys()
    for name, tensor in restored.items():
        assert torch.equal(tensor, tensors[name])
        assert tensor.stride() == tensors[name].stride()
