"""How well a network draws faces that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from export.losses import ssim_map
from export.model import FaceSwapper
from export.samples import Batch, maps_to_tensor, pictures_to_tensor
from export.stopping import SIMILARITY


@torch.no_grad()
def measure(network: FaceSwapper, held_out: Iterable[Batch]) -> dict[str, float]:
    """Compare with the truth, each side with its own decoder.

    Args:
        network: on any device, not changed.
        held_out: from `validation` of a source.

    Returns:
        By side: "val_l1_*" and "val_ssim_*", means over the face.
    """
    device = next(network.parameters()).device
    result: dict[str, float] = {}
    for batch in held_out:
        faces = pictures_to_tensor(batch.face, device)
        targets = pictures_to_tensor(batch.target, device)
        region = maps_to_tensor(batch.region, device)
        drawn = network(faces, batch.side)[:, :3]
        error = (drawn - targets).abs().mean(dim=1, keepdim=True)
        result[f"val_l1_{batch.side}"] = float((error * region).sum() / region.sum())
        region = region[..., ::2, ::2]
        similarity = (ssim_map(drawn, targets) * region).sum() / region.sum()
        result[f"{SIMILARITY}{batch.side}"] = float(similarity)
    return result
