"""Distance of pictures in the eyes of a trained encoder, without anything to download.

The first layers of the bundled encoder have learned what tells expressions and light apart
on thousands of faces: edges of lids, lips and nostrils. They charge a missing edge wherever
it lies within their view, where a loss over pixels forgives it for the mean.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from export.model import FaceSwapper

_LAYERS: Final = 2


class Perceptual(nn.Module):
    """Compares what the first two layers of an encoder answer; its weights stay as they are.

    Args:
        network: whose encoder to use; its layers are shared, and frozen.

    Source:
        J. Johnson et al., "Perceptual losses for real-time style transfer and
        super-resolution", arXiv 1603.08155 (the idea); the features are own.
    """

    def __init__(self, network: FaceSwapper) -> None:
        super().__init__()
        self.layers = nn.ModuleList(list(network.encoder.downscales.children())[:_LAYERS])
        self.requires_grad_(requires_grad=False)

    def forward(self, picture: Tensor, target: Tensor) -> Tensor:
        """Mean over the layers of the relative mean error of their answers.

        Args:
            picture: (N, 3, S, S) RGB 0..1; its gradient is followed.
            target: the same size.

        Returns:
            Scalar, 0 if they agree; 1 if they differ as much as the answers to the target
            are large.
        """
        total = picture.new_zeros(())
        with torch.no_grad():
            expected = self._answers(target)
        for got, wanted in zip(self._answers(picture), expected, strict=True):
            total = total + (got - wanted).abs().mean() / wanted.abs().mean().clamp_min(1e-6)
        return total / len(expected)

    def _answers(self, x: Tensor) -> list[Tensor]:
        answers = []
        for layer in self.layers:
            x = layer(x)
            answers.append(x)
        return answers
