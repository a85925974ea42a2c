"""Where and how exactly a training computes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from export.errors import TrainingError

Precision: TypeAlias = Literal["auto", "fp32", "bf16"]
"""`bf16`: convolutions and products in bfloat16, weights, moments and losses in float32.
`fp32`: everything in float32. `auto`: bf16 where the device multiplies it faster."""


@dataclass(frozen=True)
class Compute:
    """Where and how exactly to compute.

    Attributes:
        device: as torch names it: "cpu", "cuda", "cuda:1".
        threads: parts of a batch that are computed at the same time, on a CPU; with more
            than one, set torch's own threads to 1.
        precision: see `Precision`.
        compiled: compile the network's step; pays on a GPU.
    """

    device: str = "cpu"
    threads: int = 1
    precision: Precision = "auto"
    compiled: bool = False

    def torch_device(self) -> torch.device:
        """The device.

        Raises:
            TrainingError: networks are not trained on it, or torch sees none.
        """
        unknown = f"device {self.device!r} is unknown, expected cpu, cuda or cuda:N"
        try:
            device = torch.device(self.device)
        except RuntimeError as error:
            raise TrainingError(unknown) from error
        if device.type not in {"cpu", "cuda"}:
            raise TrainingError(unknown)
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise TrainingError(
                f"device {self.device!r} is not there, torch sees {torch.cuda.device_count()} "
                "GPUs; choose cpu, or install a build of torch for your GPU"
            )
        return device

    def autocast(self) -> AbstractContextManager[None]:
        """What the network's forward pass runs in."""
        device = self.torch_device()
        enabled = self.precision == "bf16" or (self.precision == "auto" and _bf16_pays(device))
        return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _bf16_pays(device: torch.device) -> bool:
    """Whether a device has instructions for it; torch emulates it slowly everywhere else."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = torch.cpu.get_capabilities()
    return bool(known.get("amx_bf16") or known.get("avx512_bf16") or known.get("bf16"))
