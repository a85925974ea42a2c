"""Weights to start from: a checkpoint, or a model file that `export.onnx` wrote.

A model file holds the encoder and one decoder. Its graph is written layer by layer in the
order in which the network registers its parameters, so reading it back needs no names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no stubs
from onnx import numpy_helper
from torch import Tensor

from engine.models import model_path
from export import checkpoint as checkpoints
from export.errors import CheckpointError
from export.model import PLANS, FaceSwapper, Plan, Side

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Pretrained:
    """Trained weights of a network.

    Attributes:
        plan: the network they belong to.
        origin: where they were read, for people.
        encoder: state of `FaceSwapper.encoder`, float32.
        decoders: states of the decoders that there are, "b" at least.
    """

    plan: Plan
    origin: str
    encoder: Weights
    decoders: dict[Side, Weights]

    def load_into(self, network: FaceSwapper) -> None:
        """Replace the weights of a network; a missing decoder A starts as a copy of B.

        Raises:
            CheckpointError: `network` is another one.
        """
        if network.plan != self.plan:
            raise CheckpointError(
                f"{self.origin} holds network {self.plan.name!r}, expected "
                f"{network.plan.name!r}; give --network {self.plan.name} or another model"
            )
        network.encoder.load_state_dict(self.encoder)
        for side, decoder in network.decoders.items():
            decoder.load_state_dict(
                self.decoders.get("a" if side == "a" else "b", self.decoders["b"])
            )

    def network(self) -> FaceSwapper:
        """A new network with these weights, on the CPU, for inference."""
        network = FaceSwapper(self.plan)
        self.load_into(network)
        return network.eval().requires_grad_(requires_grad=False)


def read_pretrained(name_or_path: str) -> Pretrained:
    """Read the weights of a trained network.

    Args:
        name_or_path: a bundled model's name, an ONNX file written by `export.onnx`, a
            checkpoint, or the folder of a training, whose best weights are used.

    Raises:
        ModelError: neither a file nor a bundled model.
        CheckpointError: no network of ours can be read from it.
    """
    path = Path(name_or_path)
    if path.is_dir() or path.suffix == ".safetensors":
        return _from_checkpoint(path)
    return _from_onnx(model_path(name_or_path))


def _from_checkpoint(path: Path) -> Pretrained:
    network = checkpoints.load_network(checkpoints.load_best(path))
    return Pretrained(
        network.plan,
        str(path),
        network.encoder.state_dict(),
        {"a": network.decoders["a"].state_dict(), "b": network.decoders["b"].state_dict()},
    )


def _from_onnx(path: Path) -> Pretrained:
    try:
        model = onnx.load_model(path)
    except (OSError, DecodeError) as error:
        raise CheckpointError(f"{path} is no ONNX model ({error}); give another one") from error
    arrays = [numpy_helper.to_array(weight) for weight in model.graph.initializer]
    # Whole numbers are shapes; halves stand for the float32 weights of the computation.
    weights = [torch.tensor(array).float() for array in arrays if array.dtype.kind == "f"]
    shapes = [tuple(weight.shape) for weight in weights]
    for plan in PLANS.values():
        with torch.device("meta"):
            network = FaceSwapper(plan)
        parts = (network.encoder, network.decoders["b"])
        names = [[name for name, _ in part.named_parameters()] for part in parts]
        if shapes == [tuple(one.shape) for part in parts for one in part.parameters()]:
            split = len(names[0])
            return Pretrained(
                plan,
                str(path),
                dict(zip(names[0], weights[:split], strict=True)),
                {"b": dict(zip(names[1], weights[split:], strict=True))},
            )
    raise CheckpointError(
        f"{path} holds none of the networks {sorted(PLANS)}; "
        "expected a file written by `python -m export onnx`"
    )
