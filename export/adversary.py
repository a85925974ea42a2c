"""A critic that learns to tell drawn faces from true ones, and so teaches texture.

Every loss that compares pixel with pixel is least for the mean of all pictures that could
be meant: a soft one, because where exactly a lash or the edge of a lip lies cannot be known
from a small crop. The critic only asks whether a patch looks like a true one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

_CHANNELS: Final = (3, 32, 64, 128, 192)
_LEAK: Final = 0.2


class Judged(NamedTuple):
    """Faces for the critic.

    Attributes:
        drawn: (N, 3, S, S) RGB 0..1, from a decoder.
        target: the same size, the truth.
        region: (N, 1, S, S) 0..1, 1 on the face; the rest is hidden from the critic.
        taught: (N, 1, S, S) 0..1, 1 where the decoder learns from the critic. On bare skin a
            critic knows no better than to ask for specks.
    """

    drawn: Tensor
    target: Tensor
    region: Tensor
    taught: Tensor


class SpectralConv(nn.Module):
    """Convolution whose weights, as a matrix, have norm 1.

    The norm is followed by `refresh`, once a step, and not during the forward pass, so that
    threads can share the layer.

    Source:
        T. Miyato et al., "Spectral normalization for generative adversarial networks",
        arXiv 1802.05957.
    """

    left: Tensor
    right: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.stride, self.padding = stride, (kernel - 1) // 2
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.orthogonal_(self.weight)
        self.register_buffer("left", functional.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("right", torch.zeros(inputs * kernel * kernel))
        self.refresh(rounds=8)

    @torch.no_grad()
    def refresh(self, rounds: int = 1) -> None:
        """Follow the weights with the estimate of their largest singular vectors."""
        matrix = self.weight.flatten(1)
        for _ in range(rounds):
            self.right.copy_(functional.normalize(matrix.T @ self.left, dim=0))
            self.left.copy_(functional.normalize(matrix @ self.right, dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        norm = self.left @ (self.weight.flatten(1) @ self.right)
        return functional.conv2d(x, self.weight / norm, self.bias, self.stride, self.padding)


class Critic(nn.Module):
    """Judges overlapping patches of a face.

    Source:
        The patches: P. Isola et al., "Image-to-image translation with conditional
        adversarial networks", arXiv 1611.07004. The layers: own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            SpectralConv(inputs, outputs, 4, 2) for inputs, outputs in pairwise(_CHANNELS)
        )
        self.score = SpectralConv(_CHANNELS[-1], 1, 3, 1)

    def forward(self, face: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, 3, S, S) 0..1 -> (N, 1, S / 16, S / 16) scores, above 0 for true; features."""
        x, features = face * 2 - 1, []
        with torch.autocast(face.device.type, torch.bfloat16):
            for layer in self.layers:
                x = functional.leaky_relu(layer(x), _LEAK)
                features.append(x)
            score: Tensor = self.score(x)
        return score.float(), features

    def refresh(self) -> None:
        """Call once after every step of the optimizer."""
        for module in self.modules():
            if isinstance(module, SpectralConv):
                module.refresh()


class Adversary:
    """The critic, what it says to the decoder, and how it learns itself.

    Attributes:
        critic: the network.
        optimizer: of the critic.
    """

    def __init__(self, device: torch.device, learning_rate: float = 4e-4) -> None:
        self.critic = Critic().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.optimizer = torch.optim.Adam(
            self.critic.parameters(), lr=learning_rate, betas=(0.0, 0.99), fused=True
        )

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What the critic's optimizer changes."""
        return list(self.critic.parameters())

    def review(self, judged: Judged) -> dict[str, Tensor]:
        """Terms for the decoder and for the critic, which share one forward pass.

        Returns:
            "texture": least where the critic takes drawn faces for true ones. "features":
            mean distance between what the critic sees in a drawn face and in its target,
            relative to the latter. "critic": the critic's own loss (hinge), 0 if it is never
            wrong, 2 if it knows nothing; to be differentiated by its `parameters` only.
        """
        learner = torch.lerp(judged.drawn.detach(), judged.drawn, judged.taught)
        true, wanted = self.critic(_shown(judged.target, judged.region))
        drawn, features = self.critic(_shown(learner, judged.region))
        distances = [
            (got - want.detach()).abs().mean() / want.detach().abs().mean().clamp_min(1e-3)
            for got, want in zip(features, wanted, strict=True)
        ]
        return {
            "texture": -drawn.mean(),
            "features": torch.stack(distances).float().mean(),
            "critic": functional.relu(1 - true).mean() + functional.relu(1 + drawn).mean(),
        }

    def step(self) -> None:
        """Learn from the gradients that were set."""
        self.optimizer.step()
        self.critic.refresh()


def _shown(face: Tensor, region: Tensor) -> Tensor:
    """A face on gray."""
    return (face - 0.5) * region + 0.5
