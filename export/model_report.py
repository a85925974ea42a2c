"""What a model does on faces that it was not trained on, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.face import Image
from export.deployed import Deployed
from export.held_aside import HeldAside, find_landmarks
from export.likeness import Embedder, distances
from export.losses import ssim_map
from export.model import Side
from export.poses import EXPRESSIONS, YAWS, Pose, pose_of
from export.samples import maps_to_tensor, pictures_to_tensor

Pictures: TypeAlias = NDArray[np.uint8]
"""(N, T, T, 3) BGR."""

_CPU: Final = torch.device("cpu")


class Agreement(NamedTuple):
    """How near pictures are to what they should be, on the face, mean over all faces.

    Attributes:
        l1: mean absolute error, levels as 0..1.
        ssim: structural similarity of luma.
        faces: how many were compared.
    """

    l1: float
    ssim: float
    faces: int


@dataclass(frozen=True, eq=False)
class Swapped:
    """Faces and what the model made of them.

    Attributes:
        faces: what went in.
        pictures: (N, T, T, 3) uint8 BGR, the persona in their place.
        poses: for each face, None where no landmarks were found.
    """

    faces: HeldAside
    pictures: Pictures
    poses: tuple[Pose | None, ...]


@dataclass(frozen=True)
class Measured:
    """The numbers of a report.

    Attributes:
        reconstruction: by decoder ("a", "b"), what it makes of its own person's faces.
        swap: against the pairs' truth, by kind of source: "rendered", "photographed"; empty
            without pairs.
        poses: the same of both by cell of the grid; empty without pairs.
        sharpness: medians of `sharpness` of the swap, relative to that of "source" and
            "truth".
        identity: mean distances of embeddings; None without an embedder.
        megabytes: size of the file.
        latency_ms: median and best time for one face on one CPU thread.
    """

    reconstruction: Mapping[Side, Agreement]
    swap: Mapping[str, Agreement]
    poses: Mapping[Pose, Agreement]
    sharpness: Mapping[str, float]
    identity: Mapping[str, float] | None
    megabytes: float
    latency_ms: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values, rounded to what was measured."""

        def plain(agreement: Agreement) -> dict[str, float]:
            return {name: round(value, 4) for name, value in agreement._asdict().items()}

        identity = self.identity
        return {
            "reconstruction": {side: plain(one) for side, one in self.reconstruction.items()},
            "swap": {kind: plain(one) for kind, one in self.swap.items()},
            "poses": {f"{p.yaw}, {p.expression}": plain(one) for p, one in self.poses.items()},
            "sharpness": {name: round(value, 3) for name, value in self.sharpness.items()},
            "identity": identity and {name: round(value, 3) for name, value in identity.items()},
            "megabytes": round(self.megabytes, 2),
            "latency_ms": dict(zip(("median", "best"), map(_tenth, self.latency_ms), strict=True)),
        }


def _tenth(value: float) -> float:
    return round(value, 1)


def swap_all(model: Deployed, faces: HeldAside) -> Swapped:
    """Draw the persona in place of every face, and find out what each face does."""
    known = faces.landmarks if faces.landmarks is not None else find_landmarks(faces.picture)
    poses = tuple(None if points is None else pose_of(points) for points in known)
    return Swapped(faces, model.draw(faces.face), poses)


def measure(
    model: Deployed,
    swapped: Swapped,
    own: Mapping[Side, HeldAside],
    embed: Embedder | None,
    runs: int,
) -> Measured:
    """Judge a model.

    Args:
        model: to judge.
        swapped: what it made of the sources.
        own: held-aside faces of decoder A's and B's person, as far as there are any;
            decoders that the model lacks are left out.
        embed: tells people apart, or None.
        runs: how often latency is measured.
    """
    faces, pictures = swapped.faces, swapped.pictures
    reconstruction = {
        side: agreement(model.draw(known.face, side), known.picture, known.region)
        for side, known in own.items()
        if side in model.sessions
    }
    swap: dict[str, Agreement] = {}
    cells: dict[Pose, Agreement] = {}
    blur = {"source": faces.picture}
    if faces.truth is not None:
        blur["truth"] = faces.truth
        truth, region = faces.truth, faces.region

        def among(rows: Sequence[int]) -> Agreement:
            return agreement(pictures[rows], truth[rows], region[rows])

        if faces.rendered is not None:
            kinds = {"rendered": faces.rendered, "photographed": ~faces.rendered}
            rows_of = {kind: np.flatnonzero(chosen).tolist() for kind, chosen in kinds.items()}
            swap = {kind: among(rows) for kind, rows in rows_of.items() if rows}
        for pose in [Pose(yaw, expression) for expression in EXPRESSIONS for yaw in YAWS]:
            rows = [row for row, found in enumerate(swapped.poses) if found == pose]
            if rows:
                cells[pose] = among(rows)
    return Measured(
        reconstruction,
        swap,
        cells,
        {name: _sharpness_ratio(pictures, other, faces.region) for name, other in blur.items()},
        None if embed is None else _identity(swapped, own.get("b"), embed),
        model.megabytes,
        model.latency_ms(runs),
    )


def agreement(drawn: Pictures, target: Pictures, region: NDArray[np.uint8]) -> Agreement:
    """Compare pictures where their (N, T, T) region is not 0; not weighted by its size."""
    one, other = pictures_to_tensor(drawn, _CPU), pictures_to_tensor(target, _CPU)
    weight = maps_to_tensor(region, _CPU)
    area = weight.sum(dim=(1, 2, 3)).clamp_min(1e-6)
    error = ((one - other).abs().mean(dim=1, keepdim=True) * weight).sum(dim=(1, 2, 3)) / area
    weight = weight[..., ::2, ::2]
    area = weight.sum(dim=(1, 2, 3)).clamp_min(1e-6)
    similarity = (ssim_map(one, other) * weight).sum(dim=(1, 2, 3)) / area
    return Agreement(float(error.mean()), float(similarity.mean()), len(drawn))


def sharpness(picture: Image, region: NDArray[np.uint8]) -> float:
    """Mean energy of the Laplacian of luma inside a face, away from its outline."""
    luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    inside = cv2.erode(region, np.ones((5, 5), np.uint8), borderValue=0) > 127
    energy = np.square(cv2.Laplacian(luma, cv2.CV_32F))[inside]
    return float(energy.mean()) if energy.size else 0.0


def _sharpness_ratio(ones: Pictures, others: Pictures, regions: NDArray[np.uint8]) -> float:
    ratios = [
        sharpness(one, region) / max(sharpness(other, region), 1e-6)
        for one, other, region in zip(ones, others, regions, strict=True)
    ]
    return float(np.median(ratios))


def _identity(swapped: Swapped, own: HeldAside | None, embed: Embedder) -> dict[str, float]:
    """Distances of the swap to A and to B, with what A to B and B to B would be."""
    source, swap = embed(swapped.faces.picture), embed(swapped.pictures)
    result = {"swap_to_a": float(distances(swap, source).mean())}
    if own is not None and len(own) > 1:
        persona = embed(own.picture)
        center = persona.mean(axis=0)
        # A picture must not be compared with a center that it is part of.
        others = (center * len(persona) - persona) / (len(persona) - 1)
        result |= {
            "swap_to_b": float(distances(swap, center).mean()),
            "a_to_b": float(distances(source, center).mean()),
            "b_to_b": float(distances(persona, others).mean()),
        }
    return result
