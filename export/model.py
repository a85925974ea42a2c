"""The networks: one shared encoder, one decoder a person.

A network is declared by a `Plan`; `FaceSwapper` builds it. The shared encoder squeezes a
face into a code that says what the face does (pose, expression, gaze, light); each decoder
draws one person doing it. A swap is the encoder and the other person's decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

Side: TypeAlias = Literal["a", "b"]
"""Whose decoder: "a" is anybody (the input), "b" is the person to swap in."""

LEAK: Final = 0.1
"""Slope of LeakyReLU below zero."""


@dataclass(frozen=True)
class Plan:
    """Shape of a network.

    Attributes:
        name: how the command line and checkpoints call it.
        input_size: side of the input in pixels.
        encoder: channels after each 5x5 stride-2 convolution.
        code: width of the dense bottleneck.
        decoder: channels that enter the decoder, then those after each x2 upscale.
        residual: which of the `decoder` entries get a residual block of two 3x3
            convolutions before their upscale.
        head_kernel: side of the last convolution's kernel.
        head_upscale: the last convolution works at half the output size and its channels
            are shuffled into 2x2 pixels: the full-size grid costs no convolution at all.
        mask: a fourth output channel says where the face is not covered.
        keras_order: pad, flatten and shuffle as TensorFlow does (padding 1 before and 2
            after, height-width-channel, block-major), for weights and results that agree
            with the network of 2017.
    """

    name: str
    input_size: int
    encoder: tuple[int, ...]
    code: int
    decoder: tuple[int, ...]
    residual: tuple[int, ...] = ()
    head_kernel: int = 5
    head_upscale: bool = False
    mask: bool = False
    keras_order: bool = False

    @property
    def bottleneck_size(self) -> int:
        """Side of the grid that the encoder's convolutions end with."""
        return self.input_size >> len(self.encoder)

    @property
    def output_size(self) -> int:
        """Side of the output in pixels."""
        # One upscale is the shared one at the end of the encoder.
        return self.bottleneck_size << (len(self.decoder) + self.head_upscale)


ORIGINAL: Final = Plan(
    name="original",
    input_size=64,
    encoder=(128, 256, 512, 1024),
    code=1024,
    decoder=(512, 256, 128, 64),
    keras_order=True,
)
"""The network of December 2017: 82,062,470 parameters with both decoders, 1.90 GMAC a face."""

LIGHT: Final = Plan(
    name="light",
    input_size=64,
    encoder=(32, 96, 160, 256),
    code=256,
    decoder=(256, 128, 64, 48),
    residual=(2,),
    head_kernel=3,
    head_upscale=True,
    mask=True,
)
"""Ours, 64 px in and 128 px out: 7.6 M parameters deployed, 0.47 GMAC a face.

Channels are multiples of 16 because ONNX Runtime's blocked CPU kernels pad to that.
"""

PLANS: Final = {plan.name: plan for plan in (ORIGINAL, LIGHT)}


def shuffle(x: Tensor, *, keras_order: bool) -> Tensor:
    """Turn every 4 channels into 2x2 pixels.

    Args:
        x: (N, 4 C, H, W).
        keras_order: channel index is (row * 2 + column) * C + c, as TensorFlow's
            depth_to_space; else c * 4 + row * 2 + column, as torch's pixel_shuffle.

    Returns:
        (N, C, 2 H, 2 W).
    """
    if not keras_order:
        return functional.pixel_shuffle(x, 2)
    n, channels, height, width = x.shape
    # Channels stay innermost, so that only whole blocks move in channels-last memory.
    blocks = x.permute(0, 2, 3, 1).reshape(n, height, width, 2, 2, channels // 4)
    pixels = blocks.permute(0, 1, 3, 2, 4, 5).reshape(n, height * 2, width * 2, channels // 4)
    return pixels.permute(0, 3, 1, 2)


class Downscale(nn.Module):
    """5x5 convolution with stride 2, then LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, *, keras_order: bool) -> None:
        super().__init__()
        self.keras_order = keras_order
        self.conv = nn.Conv2d(inputs, outputs, 5, stride=2, padding=0 if keras_order else 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, S, S) -> (N, outputs, S / 2, S / 2)."""
        if self.keras_order:
            x = functional.pad(x, (1, 2, 1, 2))
        return functional.leaky_relu(self.conv(x), LEAK)


class Upscale(nn.Module):
    """3x3 convolution to four times the channels, LeakyReLU, then shuffle to 2x2 pixels."""

    def __init__(self, inputs: int, outputs: int, *, keras_order: bool) -> None:
        super().__init__()
        self.keras_order = keras_order
        self.conv = nn.Conv2d(inputs, outputs * 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, S, S) -> (N, outputs, 2 S, 2 S)."""
        x = functional.leaky_relu(self.conv(x), LEAK)
        return shuffle(x, keras_order=self.keras_order)


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        y = functional.leaky_relu(self.first(x), LEAK)
        return functional.leaky_relu(x + self.second(y), LEAK)


class Encoder(nn.Module):
    """Face to code; the same for everybody."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        channels = (3, *plan.encoder)
        self.downscales = nn.Sequential(
            *(
                Downscale(inputs, outputs, keras_order=plan.keras_order)
                for inputs, outputs in pairwise(channels)
            )
        )
        flat = plan.encoder[-1] * plan.bottleneck_size**2
        self.squeeze = nn.Linear(flat, plan.code)
        self.expand = nn.Linear(plan.code, flat)
        self.upscale = Upscale(plan.encoder[-1], plan.decoder[0], keras_order=plan.keras_order)

    def forward(self, face: Tensor) -> Tensor:
        """(N, 3, S, S) RGB 0..1 -> (N, plan.decoder[0], s, s)."""
        size, channels = self.plan.bottleneck_size, self.plan.encoder[-1]
        x = self.downscales(face)
        if self.plan.keras_order:
            flat = self.expand(self.squeeze(x.permute(0, 2, 3, 1).flatten(1)))
            x = flat.view(-1, size, size, channels).permute(0, 3, 1, 2)
        else:
            x = self.expand(self.squeeze(x.flatten(1))).view(-1, channels, size, size)
        upscaled: Tensor = self.upscale(x)
        return upscaled


class Decoder(nn.Module):
    """Code to the picture of one person."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        layers: list[nn.Module] = []
        for index, inputs in enumerate(plan.decoder):
            if index in plan.residual:
                layers.append(Residual(inputs))
            if index + 1 < len(plan.decoder):
                layers.append(
                    Upscale(inputs, plan.decoder[index + 1], keras_order=plan.keras_order)
                )
        self.upscales = nn.Sequential(*layers)
        outputs = (4 if plan.mask else 3) * (4 if plan.head_upscale else 1)
        self.head = nn.Conv2d(
            plan.decoder[-1], outputs, plan.head_kernel, padding=plan.head_kernel // 2
        )

    def forward(self, code: Tensor) -> Tensor:
        """Encoder output -> (N, 3 or 4, S, S): RGB and, if planned, the mask; all 0..1."""
        x: Tensor = self.head(self.upscales(code))
        if self.plan.head_upscale:
            x = shuffle(x, keras_order=self.plan.keras_order)
        # Under autocast the sigmoid would round the picture to 8 bits of mantissa.
        return torch.sigmoid(x.float())


class FaceSwapper(nn.Module):
    """Shared encoder and the decoders of both sides.

    Attributes:
        plan: what was built.
        encoder: shared by both sides.
        decoders: "a" and "b".
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.encoder = Encoder(plan)
        self.decoders = nn.ModuleDict({side: Decoder(plan) for side in ("a", "b")})
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                _initialize(module, plan)
        if not plan.keras_order:
            for module in self.modules():
                if isinstance(module, Upscale):
                    _start_as_nearest_upscale(module.conv)
                elif isinstance(module, Decoder) and plan.head_upscale:
                    _start_as_nearest_upscale(module.head)
                elif isinstance(module, Residual):
                    nn.init.zeros_(module.second.weight)

    def forward(self, face: Tensor, side: Side = "b") -> Tensor:
        """Draw the person of `side` doing what `face` does.

        Args:
            face: (N, 3, S, S) float RGB 0..1 at the plan's input size.
            side: whose decoder.

        Returns:
            (N, 3 or 4, T, T) float32 0..1 at the plan's output size: RGB, then the mask if
            the plan has one.
        """
        picture: Tensor = self.decoders[side](self.encoder(face))
        return picture

    def parameters_of(self, side: Side) -> list[nn.Parameter]:
        """The encoder's and one decoder's parameters: what is deployed for that side."""
        return [*self.encoder.parameters(), *self.decoders[side].parameters()]


def _initialize(module: nn.Conv2d | nn.Linear, plan: Plan) -> None:
    """Choose first weights: Glorot's as Keras does, or He's, which keep deep layers awake."""
    if plan.keras_order or isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    else:
        nn.init.kaiming_uniform_(module.weight, LEAK, nonlinearity="leaky_relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _start_as_nearest_upscale(conv: nn.Conv2d) -> None:
    """Give the four pixels of a 2x2 block the same weights: no checkerboard to unlearn.

    Source:
        A. Aitken et al., "Checkerboard artifact free sub-pixel convolution",
        arXiv 1707.02937 (the idea).
    """
    with torch.no_grad():
        conv.weight.copy_(conv.weight[::4].repeat_interleave(4, dim=0))


def count_macs(plan: Plan) -> int:
    """Multiply-accumulates for one face through the encoder and one decoder."""
    macs, size, channels = 0, plan.input_size, 3
    for outputs in plan.encoder:
        size //= 2
        macs += size * size * 25 * channels * outputs
        channels = outputs
    macs += 2 * plan.code * channels * size * size
    for index, outputs in enumerate(plan.decoder):
        macs += size * size * 9 * channels * outputs * 4
        size, channels = size * 2, outputs
        if index in plan.residual:
            macs += 2 * size * size * 9 * channels * channels
    outputs = (4 if plan.mask else 3) * (4 if plan.head_upscale else 1)
    return macs + size * size * plan.head_kernel**2 * channels * outputs
