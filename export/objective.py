"""What a step minimizes: the network's forward pass, the terms of the loss, the gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from export.adversary import Adversary, Judged
from export.compute import Compute
from export.gradients import Terms
from export.losses import LossWeights, pixel_weights, portrait_loss
from export.model import FaceSwapper, Side
from export.perceptual import Perceptual
from export.pretrained import read_pretrained
from export.samples import Batch, maps_to_tensor, pictures_to_tensor
from export.skin_cue import skin_maps

_PERCEPTUAL_MODEL: Final = "maro"
_FULL_DETAIL: Final = 0.4
"""From this value of `regions.detail_map` on, the brows', the critic is listened to."""


class Objective:
    """The loss of a network on batches of both sides.

    Attributes:
        adversary: the critic, if the weights ask for one.
    """

    def __init__(self, network: FaceSwapper, weights: LossWeights | None, compute: Compute) -> None:
        """Prepare the loss.

        Args:
            network: on the device of `compute`; kept, not changed.
            weights: of the terms; None for the plain L1 of 2017.
            compute: how exactly.
        """
        self.network, self.weights, self.compute = network, weights, compute
        self.device = compute.torch_device()
        judged = weights is not None and max(weights.texture, weights.features) > 0
        self.adversary = Adversary(self.device) if judged else None
        self._perceptual = (
            Perceptual(read_pretrained(_PERCEPTUAL_MODEL).network()).to(self.device)
            if weights is not None and weights.perceptual > 0
            else None
        )
        self._draw: Callable[[Tensor, list[tuple[Side, int]]], Tensor] = (
            torch.compile(self._forward) if compute.compiled else self._forward
        )

    def critic_parameters(self, batches: Sequence[Batch]) -> list[nn.Parameter]:
        """What the critic learns from these batches; it judges those that begin with B's."""
        return self.adversary.parameters if self.adversary and batches[0].side == "b" else []

    def gradients(
        self, batches: list[Batch], parameters: Sequence[nn.Parameter]
    ) -> tuple[Terms, Sequence[Tensor]]:
        """The terms of the loss, and the gradients of `parameters` and then the critic's."""
        terms = self.terms(batches)
        critic = self.critic_parameters(batches)
        # A step may lack one side; its decoder then has a gradient of zero.
        own = torch.autograd.grad(
            terms["total"],
            parameters,
            allow_unused=True,
            materialize_grads=True,
            retain_graph=bool(critic),
        )
        if not critic:
            return terms, own
        return terms, [*own, *torch.autograd.grad(terms["critic"], critic)]

    def terms(self, batches: list[Batch]) -> Terms:
        """Terms of the loss by name: "total", what it is made of, and the critic's own."""
        faces, targets, masks, regions, details = (
            torch.cat([convert(part, self.device) for part in parts])
            for convert, parts in zip(
                (pictures_to_tensor, pictures_to_tensor, *[maps_to_tensor] * 3),
                list(zip(*batches, strict=True))[1:],
                strict=True,
            )
        )
        faces = faces.contiguous(memory_format=torch.channels_last)
        drawn = self._draw(faces, [(batch.side, len(batch.face)) for batch in batches])
        if self.weights is None:
            return {"total": (drawn[:, :3] - targets).abs().mean()}
        skin = None
        if self.weights.skin > 0:
            cues = [maps_to_tensor(skin_maps(batch.target), self.device) for batch in batches]
            skin = torch.cat(cues)
        weight = pixel_weights(regions, details, self.weights, skin)
        terms = portrait_loss(drawn, targets.contiguous(), masks, weight, self.weights)
        if self._perceptual is not None:
            with self.compute.autocast():
                terms["perceptual"] = self._perceptual(drawn[:, :3], targets)
            terms["total"] = terms["total"] + self.weights.perceptual * terms["perceptual"]
        if self.adversary is not None and batches[0].side == "b":
            count = len(batches[0].face)
            judged = Judged(
                drawn[:count, :3],
                targets[:count],
                regions[:count],
                taught=(details[:count] / _FULL_DETAIL).clamp(max=1),
            )
            terms |= self.adversary.review(judged)
            terms["total"] = (
                terms["total"]
                + self.weights.texture * terms["texture"]
                + self.weights.features * terms["features"]
            )
        return terms

    def _forward(self, faces: Tensor, sides: list[tuple[Side, int]]) -> Tensor:
        with self.compute.autocast():
            codes = self.network.encoder(faces).split([count for _, count in sides])
            drawn = [
                self.network.decoders[side](code)
                for (side, _), code in zip(sides, codes, strict=True)
            ]
        return torch.cat(drawn).contiguous()
