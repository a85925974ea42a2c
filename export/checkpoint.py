"""Checkpoints: one safetensors file with everything to go on from, and JSON for people.

Whoever reads sees the previous checkpoint or the whole new one. The state is also inside the
safetensors file; the JSON beside it is a copy to look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from export.errors import CheckpointError
from export.model import PLANS, FaceSwapper
from export.replacing import replacing

VERSION: Final = 1
"""Of the file's layout; another one cannot be read."""

NAME: Final = "checkpoint.safetensors"
BEST: Final = "best.safetensors"
"""The smoothed weights alone, as they were at the best validation."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        tensors: by name; "network.*", "average.*" (the smoothed weights, those to
            deploy) and "optimizer.*".
        state: JSON-ready facts, among them "plan" and "step".
    """

    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name begins with `prefix` and a dot, by the rest of their name."""
        start = prefix + "."
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }


def named(part: str, network: nn.Module) -> dict[str, Tensor]:
    """Tensors of a network by their names in a checkpoint."""
    return {f"{part}.{name}": tensor for name, tensor in network.state_dict().items()}


def save(folder: Path, checkpoint: Checkpoint, name: str = NAME) -> Path:
    """Replace a folder's checkpoint; on any error the previous one stays.

    Args:
        folder: made if missing.
        checkpoint: what to write.
        name: `NAME` or `BEST`.

    Returns:
        The file that was written.

    Raises:
        CheckpointError: it could not be written, for example because the disk is full.
    """
    state = json.dumps({"version": VERSION, **checkpoint.state})
    tensors = {name: tensor.detach().cpu() for name, tensor in checkpoint.tensors.items()}
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    path = folder / name
    readable = json.dumps(json.loads(state), indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            save_file(contiguous, part, metadata={"state": state})
        with replacing(path.with_suffix(".json")) as part:
            part.write_text(readable)
        # safetensors lets nobody but the owner read; the user's umask decides here too.
        path.chmod(path.with_suffix(".json").stat().st_mode & 0o777)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} could not be written ({error}); the previous one is kept, "
            "make room and go on with --resume"
        ) from error
    return path


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the file, or the folder that it lies in.

    Raises:
        CheckpointError: it is missing, damaged, or of another version.
    """
    file = path / NAME if path.is_dir() else path
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # no mapping
    except FileNotFoundError as error:
        raise CheckpointError(f"no checkpoint at {file}; train first") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} cannot be read ({error}); it may be cut off") from error
    try:
        state = json.loads(metadata.get("state", "{}"))
    except (ValueError, RecursionError):
        state = None
    if not isinstance(state, dict):
        raise CheckpointError(f"{file} is damaged: its state is no JSON object; train again")
    if state.get("version") != VERSION:
        raise CheckpointError(
            f"{file} has layout version {state.get('version')}, expected {VERSION}; "
            "use the release that wrote it, or train again"
        )
    return Checkpoint(tensors, state)


def load_best(path: Path) -> Checkpoint:
    """Read the weights to deploy.

    Args:
        path: a file, or a training's folder: its best weights, or its last if none are
            known to be the best.

    Raises:
        CheckpointError: as `load`.
    """
    best = path / BEST
    return load(best if best.exists() else path)


def load_network(checkpoint: Checkpoint, part: str = "average") -> FaceSwapper:
    """Build the network of a checkpoint with its smoothed or its last weights.

    Raises:
        CheckpointError: its plan is unknown or the tensors do not fit it.
    """
    name = checkpoint.state.get("plan")
    if not isinstance(name, str) or name not in PLANS:
        raise CheckpointError(f"checkpoint of network {name!r}, expected one of {sorted(PLANS)}")
    network = FaceSwapper(PLANS[name])
    restore(network, checkpoint, part)
    return network


def restore(network: nn.Module, checkpoint: Checkpoint, part: str) -> None:
    """Give a network the weights of a part of a checkpoint.

    Raises:
        CheckpointError: the tensors do not fit it.
    """
    try:
        network.load_state_dict(checkpoint.part(part))
    except RuntimeError as error:
        # The first line names the class, each of the others a tensor.
        first, *_ = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise CheckpointError(
            f"checkpoint does not fit network {checkpoint.state.get('plan')} of this version "
            f"({first}); use the release that wrote it, or train again"
        ) from error
