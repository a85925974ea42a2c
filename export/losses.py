"""What training minimizes: close pixels, close edges, close structure, where people look.

Plain L1 is content with the median of all pictures that could be meant, which is blur.
Structure and edges are charged separately here, and eyes, mouth and brows several times as
much as cheeks, because there a blurred pixel is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)  # RGB, BT.601


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts.

    Attributes:
        l1: mean absolute error of RGB.
        edge: mean absolute error of the differences between neighboring pixels.
        dssim: structural dissimilarity of luma, (1 - SSIM) / 2.
        mask: binary cross entropy of the mask.
        background: weight of a pixel off the face; on the face it is 1.
        detail: additional weight in the eyes; mouth and brows follow their map.
        skin: additional share of a pixel's weight where the target shows skin.
        perceptual: distance of what the first layers of the bundled encoder see, see
            `export.perceptual`.
        texture: how much decoder B listens to a critic that compares its faces with true
            ones, see `export.adversary`; sharpens what is already in its place.
        features: mean distance of what that critic sees in a face and in its target.
    """

    l1: float = 1.0
    edge: float = 1.5
    dssim: float = 0.6
    mask: float = 0.05
    background: float = 0.04
    detail: float = 10.0
    skin: float = 0.0
    perceptual: float = 0.0
    texture: float = 0.0
    features: float = 0.0


SHARP: Final = LossWeights(texture=0.012, features=0.1)
"""With the critic, whose say is small: faces stay who they are."""


def pixel_weights(
    face: Tensor, detail: Tensor, weights: LossWeights, skin: Tensor | None = None
) -> Tensor:
    """Weight of every pixel, with mean 1 over each picture.

    Args:
        face: (N, 1, H, W) 0..1, 1 on the face.
        detail: (N, 1, H, W) 0..1, from `regions.detail_map`.
        weights: how much they count.
        skin: (N, 1, H, W) 0..1, from `skin_cue.skin_maps`; None for no such cue. A picture
            in which the rule finds no skin keeps its weights.
    """
    raw = weights.background + (1 - weights.background) * face + weights.detail * detail
    if skin is not None:
        raw = raw * (1 + weights.skin * skin)
    return raw / raw.mean(dim=(1, 2, 3), keepdim=True)


def l1(picture: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean absolute error of (N, 3, H, W) pictures."""
    return ((picture - target).abs().mean(dim=1, keepdim=True) * weight).mean()


def edge(picture: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean absolute error of horizontal and vertical pixel differences."""
    error = picture - target
    across = error[..., :, 1:] - error[..., :, :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    return (
        (across.abs().mean(dim=1, keepdim=True) * weight[..., :, 1:]).mean()
        + (down.abs().mean(dim=1, keepdim=True) * weight[..., 1:, :]).mean()
    ) / 2


def ssim_map(picture: Tensor, target: Tensor) -> Tensor:
    """Structural similarity of luma at every second pixel.

    The window is a 5x5 box, then 3x3 at half the size: a spread of 2.2 pixels like the
    usual Gaussian's, at a tenth of the cost. Near the border it uses the pixels there are.

    Args:
        picture: (N, 3, H, W) RGB 0..1.
        target: the same.

    Returns:
        (N, 1, H / 2, W / 2), 1 where they agree.

    Source:
        Z. Wang et al., "Image quality assessment: from error visibility to structural
        similarity", IEEE TIP 13(4), 2004.
    """
    luma = torch.tensor(_LUMA, device=picture.device, dtype=picture.dtype).view(1, 3, 1, 1)
    x = (picture * luma).sum(dim=1, keepdim=True)
    y = (target * luma).sum(dim=1, keepdim=True)
    moments = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    moments = functional.avg_pool2d(moments, 5, 2, 2, count_include_pad=False)
    moments = functional.avg_pool2d(moments, 3, 1, 1, count_include_pad=False)
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = torch.split(moments, 1, dim=1)
    c1, c2 = 0.01**2, 0.03**2
    both = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    covariance, variance = mean_xy - both, mean_xx + mean_yy - squares
    similarity: Tensor = (
        (2 * both + c1) * (2 * covariance + c2) / ((squares + c1) * (variance + c2))
    )
    return similarity


def dssim(picture: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of (1 - SSIM) / 2."""
    return ((1 - ssim_map(picture, target)) * weight[..., ::2, ::2]).mean() / 2


def cross_entropy(drawn: Tensor, mask: Tensor) -> Tensor:
    """Binary cross entropy of (N, 1, H, W) masks, 0..1.

    Unlike torch's own it lets a value that is not a number through, for the caller to see,
    where torch's raises on a CPU and leaves a GPU unusable.
    """
    sure = drawn.clamp(1e-6, 1 - 1e-6)
    return -(mask * sure.log() + (1 - mask) * (1 - sure).log()).mean()


def portrait_loss(
    drawn: Tensor,
    target: Tensor,
    mask: Tensor,
    weight: Tensor,
    weights: LossWeights,
) -> dict[str, Tensor]:
    """Terms of the loss of one decoder.

    Args:
        drawn: (N, 3 or 4, H, W) 0..1 from the network; the fourth channel is its mask.
        target: (N, 3, H, W) 0..1.
        mask: (N, 1, H, W) 0..1, what the mask shall be.
        weight: (N, 1, H, W) from `pixel_weights`.
        weights: how much each term counts.

    Returns:
        Scalars: "l1", "edge", "dssim", "mask" unweighted, and "total".
    """
    picture = drawn[:, :3]
    terms = {
        "l1": l1(picture, target, weight),
        "edge": edge(picture, target, weight),
        "dssim": dssim(picture, target, weight),
    }
    total = weights.l1 * terms["l1"] + weights.edge * terms["edge"] + weights.dssim * terms["dssim"]
    if drawn.shape[1] == 4:
        terms["mask"] = cross_entropy(drawn[:, 3:], mask)
        total = total + weights.mask * terms["mask"]
    terms["total"] = total
    return terms
