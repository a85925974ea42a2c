"""Whether an exported model draws what the network draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from export.losses import ssim_map

Dtype: TypeAlias = Literal["fp32", "fp16", "int8"]
"""Of the weights: float32; stored as float16, computed as float32; quantized with activations."""


@dataclass(frozen=True)
class Tolerance:
    """How far a model may be from torch, on pictures of 0..1.

    Attributes:
        largest: of any value of any output.
        mean: of the absolute difference, over the worst output.
        ssim: least structural similarity, over the worst picture.
    """

    largest: float
    mean: float
    ssim: float

    def __str__(self) -> str:
        return f"at most {self.largest:.2g}, mean {self.mean:.2g}, SSIM at least {self.ssim:.4g}"


TOLERANCE: Final[Mapping[Dtype, Tolerance]] = {
    # Float32 rounding in another order of summation.
    "fp32": Tolerance(largest=2e-4, mean=2e-5, ssim=0.9999),
    # Weights rounded to 11 bits: 2.5 of 255 levels at the worst pixel.
    "fp16": Tolerance(largest=1e-2, mean=1e-3, ssim=0.999),
    # Single pixels on edges may differ by much, the picture may not: 2.5 levels on average.
    "int8": Tolerance(largest=1.0, mean=1e-2, ssim=0.98),
}


@dataclass(frozen=True)
class Parity:
    """Differences between two implementations, NaN if any value is not a number.

    Attributes:
        largest: of any value of any output.
        mean: of the absolute difference, over the worst output.
        ssim: structural similarity, over the worst picture.
    """

    largest: float
    mean: float
    ssim: float

    def within(self, tolerance: Tolerance) -> bool:
        """Whether every figure is a number that the tolerance allows."""
        return (
            self.largest <= tolerance.largest
            and self.mean <= tolerance.mean
            and self.ssim >= tolerance.ssim
        )

    def __str__(self) -> str:
        return (
            f"largest difference {self.largest:.2g}, mean {self.mean:.2g}, "
            f"lowest SSIM {self.ssim:.4f}"
        )


def compare(
    content: bytes, faces: NDArray[np.float32], expected: list[NDArray[np.float32]]
) -> Parity:
    """Run a model in ONNX Runtime and compare its answers.

    Args:
        content: an ONNX file, serialized.
        faces: (N, 3, S, S) RGB 0..1.
        expected: the network's answer for each output: (N, 3, T, T), (N, 1, T, T).
    """
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    got = session.run(None, {"face": faces})
    differences = [np.abs(mine - theirs) for mine, theirs in zip(expected, got, strict=True)]
    similarity = ssim_map(torch.from_numpy(got[0]), torch.from_numpy(expected[0]))
    return Parity(
        largest=float(np.max([difference.max() for difference in differences])),
        mean=float(np.max([difference.mean() for difference in differences])),
        ssim=float(similarity.mean(dim=(1, 2, 3)).min()),
    )
