"""The preview grid: what goes in, what both decoders draw, what they should draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.face import Image
from export.model import FaceSwapper
from export.replacing import replacing
from export.samples import Batch, pictures_to_tensor

_GROUPS = 3  # side by side, so that the picture is about as wide as high


@torch.no_grad()
def preview_grid(network: FaceSwapper, batches: Sequence[Batch], rows: int = 24) -> Image:
    """Draw [input | own decoder | other decoder | target of the other or own] for each face.

    Args:
        network: weights to look at.
        batches: from `validation` of a source. Where both sides hold the same faces (pairs)
            the target is that of B; else each side shows its own.
        rows: at most so many faces, spread over the batches.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    size = network.plan.output_size
    device = next(network.parameters()).device
    strips: list[Image] = []
    paired = len(batches) == 2 and np.array_equal(batches[0].face, batches[1].face)
    shown = batches[:1] if paired else batches
    for batch in shown:
        count = min(len(batch.face), max(rows // len(shown), 1))
        chosen = np.linspace(0, len(batch.face) - 1, count).round().astype(int)
        faces = pictures_to_tensor(batch.face[chosen], device)
        own, other = ("a", "b") if paired or batch.side == "a" else ("b", "a")
        drawn = [tensor_to_pictures(network(faces, side)) for side in (own, other)]
        for index, face in enumerate(batch.face[chosen]):
            enlarged = cv2.resize(face, (size, size), interpolation=cv2.INTER_NEAREST)
            pictures = (enlarged, *(side[index] for side in drawn), batch.target[chosen][index])
            strips.append(np.hstack(pictures))
    strips += [np.zeros_like(strips[0])] * (-len(strips) % _GROUPS)
    columns = [np.vstack(strips[group::_GROUPS]) for group in range(_GROUPS)]
    return np.hstack(columns)


def tensor_to_pictures(drawn: torch.Tensor) -> NDArray[np.uint8]:
    """(N, 3 or more, H, W) float RGB 0..1 -> (N, H, W, 3) uint8 BGR; rounded and clipped."""
    pixels = drawn[:, :3].flip(1).permute(0, 2, 3, 1).mul(255).round().clamp(0, 255)
    return np.ascontiguousarray(pixels.byte().cpu().numpy())


def write_preview(path: Path, grid: Image) -> None:
    """Replace a PNG file; a viewer that watches it never sees half a picture.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path) as part:
        part.write_bytes(cv2.imencode(".png", grid)[1].tobytes())
