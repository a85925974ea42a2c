"""Trainings that are compared: kept in a folder each, resumable, judged on the same faces."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from export.face_folders import FaceFolders
from export.losses import ssim_map
from export.model import ORIGINAL, FaceSwapper
from export.replacing import replacing
from export.samples import Batch, maps_to_tensor, pictures_to_tensor
from export.schedule import Progress
from export.train import Trainer

_FIRST_LOOK: Final = 200  # images
_GROWTH: Final = 1.15  # between looks
_FACES: Final = 128  # held-out faces of both sides together, at most


@dataclass(frozen=True)
class Point:
    """How well a network does at one moment of its training, on held-out faces.

    Attributes:
        images: samples seen, of both sides.
        seconds: time trained, without the time that judging took.
        l1: mean absolute error at 64 px, mean of both sides.
        ssim: structural similarity at 64 px, mean of both sides.
        full_ssim: that of decoder B at the network's own output size.
    """

    images: int
    seconds: float
    l1: float
    ssim: float
    full_ssim: float


class Judge:
    """Looks at a network at growing intervals; what it saw lies beside the checkpoint.

    Args:
        trainer: whose smoothed weights are judged; resumed already, if at all.
        source: whose held-out faces the network draws at its own size.
        common: held-out faces at the grid that all networks are compared on.
        until: similarity of decoder B at which to end the training, None for never.
    """

    def __init__(
        self, trainer: Trainer, source: FaceFolders, common: Sequence[Batch], until: float | None
    ) -> None:
        self._trainer, self._common, self._until = trainer, common, until
        self._own = [batch for batch in source.validation(_FACES) if batch.side == "b"]
        self._file = trainer.folder / "curve.json"
        self.points: list[Point] = []
        self._judging_s = 0.0
        if self._file.exists():
            kept = json.loads(self._file.read_text())
            self._judging_s = kept["judging_s"]
            self.points = [
                Point(**point) for point in kept["points"] if point["images"] <= trainer.images
            ]

    def __call__(self, _: Progress) -> None:
        """Judge if it is time; to be called after every step."""
        if self._trainer.images >= max(self.points[-1].images * _GROWTH, _FIRST_LOOK):
            self.look()

    def look(self) -> None:
        """Judge now."""
        began = time.monotonic()
        network = self._trainer.average
        l1, ssim = compare(network, self._common)
        _, full_ssim = compare(network, self._own)
        seconds = self._trainer.seconds - self._judging_s
        self.points.append(
            Point(self._trainer.images, round(seconds, 1), *map(_rounded, (l1, ssim, full_ssim)))
        )
        self._judging_s += time.monotonic() - began
        if self._until is not None and full_ssim >= self._until:
            self._trainer.interrupt()
        content = {"judging_s": self._judging_s, "points": list(map(asdict, self.points))}
        with replacing(self._file) as part:
            part.write_text(json.dumps(content))


def _rounded(value: float) -> float:
    return round(value, 5)


@torch.no_grad()
def compare(network: FaceSwapper, batches: Sequence[Batch]) -> tuple[float, float]:
    """L1 and SSIM over the face, mean of the sides; a larger output is averaged down."""
    sums, device = [0.0, 0.0], next(network.parameters()).device
    for batch in batches:
        target = pictures_to_tensor(batch.target, device)
        weight = maps_to_tensor(batch.region, device)
        face = pictures_to_tensor(batch.face, device)
        drawn = network(face, batch.side)[:, :3]
        drawn = functional.avg_pool2d(drawn, drawn.shape[-1] // target.shape[-1])
        error = (drawn - target).abs().mean(dim=1, keepdim=True)
        sums[0] += float((error * weight).sum() / weight.sum())
        weight = weight[..., ::2, ::2]
        sums[1] += float((ssim_map(drawn, target) * weight).sum() / weight.sum())
    return sums[0] / len(batches), sums[1] / len(batches)


def common_faces(a: Path, b: Path) -> list[Batch]:
    """Held-out faces of both folders at 64 px in and out."""
    return FaceFolders(a, b, ORIGINAL, 1, 0).validation(_FACES)


def run(
    trainer: Trainer, source: FaceFolders, common: Sequence[Batch], until: float | None
) -> list[Point]:
    """Train to the end of the schedule, or go on with what the folder holds.

    Args:
        trainer: new, or one that goes on where its folder ends.
        source: what it trains on.
        common: see `Judge`.
        until: see `Judge`.

    Returns:
        The whole curve, that of earlier runs included.
    """
    if (trainer.folder / "checkpoint.safetensors").exists():
        trainer.resume(trainer.folder)
    judge = Judge(trainer, source, common, until)
    if not judge.points:
        trainer.folder.mkdir(parents=True, exist_ok=True)
        judge.look()
    if until is not None and first_above(judge.points, until):
        return judge.points
    # A GPU outruns a single thread that makes samples.
    trainer.run(source, judge, workers=1 if trainer.compute.device == "cpu" else 8)
    if judge.points[-1].images < trainer.images:
        judge.look()
    return judge.points


def images_to(points: Sequence[Point], l1: float) -> int | None:
    """Images until a curve is at or below an L1, None if it never is."""
    return next((point.images for point in points if point.l1 <= l1), None)


def at_images(points: Sequence[Point], images: int) -> tuple[float, float]:
    """L1 and SSIM of a curve after so many images, between its points on a straight line."""
    seen = [point.images for point in points]
    l1 = np.interp(images, seen, [point.l1 for point in points])
    ssim = np.interp(images, seen, [point.ssim for point in points])
    return float(l1), float(ssim)


def first_above(points: Sequence[Point], full_ssim: float) -> Point | None:
    """Where decoder B first reaches a similarity, None if it never does."""
    return next((point for point in points if point.full_ssim >= full_ssim), None)


def steps_for(images: int, batch: int) -> int:
    """Steps of a classic training, which see two batches each, for at least so many images."""
    return math.ceil(images / (2 * batch))
