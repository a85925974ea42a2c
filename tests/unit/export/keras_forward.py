"""The network of 2017 in NumPy, written from its description, not from the torch code.

Pictures are (H, W, C). Convolution weights are (out, in, k, k) and dense weights (out, in)
as torch stores them.
"""

from __future__ import annotations

import numpy as np


def convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """TensorFlow's 'same' convolution: of an odd total padding the larger half comes after."""
    kernel = weight.shape[2]
    outputs = -(-x.shape[0] // stride)
    total = max((outputs - 1) * stride + kernel - x.shape[0], 0)
    before = total // 2
    padded = np.pad(x, ((before, total - before), (before, total - before), (0, 0)))
    result = np.empty((outputs, outputs, weight.shape[0]))
    for row in range(outputs):
        for column in range(outputs):
            top, left = row * stride, column * stride
            window = padded[top : top + kernel, left : left + kernel]
            result[row, column] = np.einsum("hwi,oihw->o", window, weight) + bias
    return result


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.1 * x)


def depth_to_space(x: np.ndarray) -> np.ndarray:
    """Channel (row * 2 + column) * C + c goes to pixel (row, column) of the block."""
    height, width, channels = x.shape
    count = channels // 4
    result = np.empty((height * 2, width * 2, count))
    for row in range(2):
        for column in range(2):
            first = (row * 2 + column) * count
            result[row::2, column::2] = x[..., first : first + count]
    return result


def forward(weights: dict[str, np.ndarray], face: np.ndarray, side: str) -> np.ndarray:
    """Encoder and one decoder of torch's state_dict on one (S, S, 3) face."""

    def layer(x: np.ndarray, name: str, stride: int = 1) -> np.ndarray:
        return convolve(x, weights[name + ".weight"], weights[name + ".bias"], stride)

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return weights[name + ".weight"] @ x + weights[name + ".bias"]

    def count(prefix: str) -> int:
        return sum(n.startswith(prefix) and n.endswith("conv.weight") for n in weights)

    x = face
    for index in range(count("encoder.downscales.")):
        x = leaky(layer(x, f"encoder.downscales.{index}.conv", 2))
    x = dense(dense(x.ravel(), "encoder.squeeze"), "encoder.expand").reshape(x.shape)
    x = depth_to_space(leaky(layer(x, "encoder.upscale.conv")))
    decoder = f"decoders.{side}."
    for index in range(count(decoder + "upscales.")):
        x = depth_to_space(leaky(layer(x, f"{decoder}upscales.{index}.conv")))
    return 1 / (1 + np.exp(-layer(x, decoder + "head")))
