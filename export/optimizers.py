"""Adam for encoder and decoders: who learns how fast, and how it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from export.checkpoint import Checkpoint
from export.gradients import in_memory_order_of
from export.model import FaceSwapper
from export.schedule import Schedule

# What a parameter group calls its share of the learning rate.
_SHARE: Final = "share"


def make_optimizer(
    network: FaceSwapper, decoders: Iterable[nn.Module], schedule: Schedule
) -> torch.optim.Adam:
    """Adam for the encoder and some decoders, each at its own rate.

    Args:
        network: whose encoder to train; not at all if the schedule freezes it.
        decoders: which decoders to train.
        schedule: says how fast.
    """
    groups = [
        {"params": list(network.encoder.parameters()), _SHARE: schedule.encoder},
        {"params": [one for decoder in decoders for one in decoder.parameters()], _SHARE: 1.0},
    ]
    learning = [group for group in groups if group[_SHARE] != 0]
    return torch.optim.Adam(learning, lr=1e-3, betas=(schedule.beta1, 0.999), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Change the learning rate, in which every group has its share."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[_SHARE]


def parameters_of(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """What an optimizer changes, in the order of its state."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def state_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Moments and counters by name, "optimizer.*", for a checkpoint."""
    return {
        f"optimizer.{number}.{index}.{key}": tensor
        for number, optimizer in enumerate(optimizers)
        for index, entry in optimizer.state_dict()["state"].items()
        for key, tensor in entry.items()
    }


def restore(optimizers: Sequence[torch.optim.Optimizer], saved: Checkpoint) -> None:
    """Set moments and counters to those of a checkpoint."""
    for number, optimizer in enumerate(optimizers):
        parameters = parameters_of(optimizer)
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in saved.part(f"optimizer.{number}").items():
            index, key = name.split(".")
            like = parameters[int(index)]
            ordered = tensor.shape == like.shape  # all but the step count
            entry = entries.setdefault(int(index), {})
            entry[key] = in_memory_order_of(like, tensor) if ordered else tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": entries})
