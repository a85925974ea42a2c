"""Give the swapped face the colors and the light of the face that it replaces.

Statistics are weighted means over the aligned crop, so hair, background, eyes and mouth do
not count. They are smoothed in time, both faces' alike: when the light changes and the model
follows it, both lag by the same amount and the correction stays right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import regions
from engine.align import Points
from engine.errors import EngineError
from engine.face import Image, Mask

Float = NDArray[np.float32]

TRANSFERS = ("none", "avg", "lab", "light")
"""`none`: keep the model's colors. `avg`: shift the mean. `lab`: match mean and standard
deviation of lightness and both color differences. `light`: match the blurred brightness
from place to place (one-sided light, shadows)."""

CONTRAST = (0.5, 1.2)
"""Smallest and largest factor on a standard deviation; stretching shows blotches sooner than
shrinking."""

MAX_RELIGHT = 1.6
"""Brightness is changed by this factor at most from place to place..."""

MAX_EXPOSURE = 4.0
"""...and by this one for the whole face."""

_GRID = 64
_LIGHT_GRID = 32
_LIGHT_SIGMA = 3.0
_PRIOR = 0.02  # weight of the mean brightness where the face shows no skin
_GRAYISH = 8.0  # mean and spread of color, in gray levels, below which a picture is gray
_DARK = 6.0  # gray levels added to both sides of a ratio, so that near black it stays near 1
_LOWER_FACE = 0.25  # weight of chin and upper lip, where a beard is no skin
_OUTLIER = 1.8  # standard deviations from the mean brightness

# Lightness, blue-yellow and green-red of BGR. Orthonormal, so the way back is the
# transpose; the order of axes and the method follow Reinhard et al., the space is linear so
# that a whole transfer is one 3 x 4 matrix and equal statistics give the identity.
_OPPONENT = np.array(
    [
        np.array([1.0, 1.0, 1.0]) / np.sqrt(3.0),
        np.array([-2.0, 1.0, 1.0]) / np.sqrt(6.0),
        np.array([0.0, -1.0, 1.0]) / np.sqrt(2.0),
    ]
)
_LUMA = np.array([[0.114, 0.587, 0.299]], np.float32)  # ITU-R BT.601, of BGR


def parse_transfers(text: str) -> tuple[str, ...]:
    """Split 'lab+light' into its steps.

    Raises:
        EngineError: an unknown step, or none.
    """
    steps = tuple(text.split("+"))
    unknown = [step for step in steps if step not in TRANSFERS]
    if unknown:
        raise EngineError(
            f"color {text!r} has no method {unknown[0]!r}; "
            f"expected one of {', '.join(TRANSFERS)}, or one of them with +light"
        )
    if len(steps) > 2 or (
        len(steps) == 2 and (steps[0] not in {"avg", "lab"} or steps[1] != "light")
    ):
        raise EngineError(f"color {text!r} does not combine; expected avg+light or lab+light")
    return steps


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Color of a face: (3,) float64 mean and standard deviation in the opponent space."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    @classmethod
    def of(cls, crop: Float, weights: Float) -> Statistics:
        """Measure a crop.

        Args:
            crop: (H, W, 3) float32 BGR, 0..255.
            weights: (H, W) float32 >= 0, not all zero.
        """
        weight = weights.reshape(-1).astype(np.float64)
        weight /= weight.sum()
        colors = crop.reshape(-1, 3).astype(np.float64) @ _OPPONENT.T
        mean = weight @ colors
        return cls(mean, np.sqrt(weight @ (colors - mean) ** 2))

    def toward(self, new: Statistics, weight: float) -> Statistics:
        """Move by `weight`, 0..1, toward a new measurement."""
        return Statistics(
            self.mean + weight * (new.mean - self.mean), self.std + weight * (new.std - self.std)
        )


def shift(frame: Statistics, swap: Statistics) -> NDArray[np.float64]:
    """(3, 4) matrix on (B, G, R, 1) that gives the swap the frame's mean color."""
    return _affine(np.ones(3), frame, swap)


def reinhard(frame: Statistics, swap: Statistics) -> NDArray[np.float64]:
    """(3, 4) matrix on (B, G, R, 1) that gives the swap the frame's mean and contrast.

    Source: E. Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001; here
    in a linear opponent space and with limited gains.
    """
    gain = np.clip((frame.std + 1.0) / (swap.std + 1.0), *CONTRAST)
    # Lips and eyes, which are not measured, must lose their color too in a gray picture.
    colorfulness = float(np.hypot(*frame.mean[1:]) + np.hypot(*frame.std[1:]))
    gain[1:] *= min(colorfulness / _GRAYISH, 1.0)
    return _affine(gain, frame, swap)


def _affine(gain: NDArray[np.float64], frame: Statistics, swap: Statistics) -> NDArray[np.float64]:
    linear = _OPPONENT.T @ np.diag(gain) @ _OPPONENT
    offset = _OPPONENT.T @ (frame.mean - gain * swap.mean)
    return np.column_stack([linear, offset])


def log_light(frame: Float, swap: Float, frame_weights: Float, swap_weights: Float) -> Float:
    """Logarithm of the blurred brightness of the frame's face over that of the swap.

    Args:
        frame: (G, G, 3) float32 BGR 0..255 crop.
        swap: the same place of the swap.
        frame_weights: (G, G) float32 >= 0, what counts in `frame`.
        swap_weights: as `frame_weights`, for `swap`.

    Returns:
        (g, g) float32 on a coarser grid of the same crop, limited by `MAX_EXPOSURE` as a
        whole and by `MAX_RELIGHT` around that.
    """
    wanted = _blurred_luma(frame, frame_weights) + _DARK
    present = _blurred_luma(swap, swap_weights) + _DARK
    ratio = np.log(np.maximum(wanted, _DARK) / np.maximum(present, _DARK))
    weights = cv2.resize(frame_weights, ratio.shape, interpolation=cv2.INTER_AREA)
    whole = float((ratio * weights).sum() / weights.sum())
    local = np.clip(ratio - whole, -math.log(MAX_RELIGHT), math.log(MAX_RELIGHT))
    exposure = min(max(whole, -math.log(MAX_EXPOSURE)), math.log(MAX_EXPOSURE))
    return np.asarray(local + exposure, np.float32)


def _blurred_luma(crop: Float, weights: Float) -> Float:
    """Brightness blurred without what has no weight; far from any weight the mean."""
    luma = cv2.transform(crop, _LUMA)
    total = float(weights.sum())
    mean = float((luma * weights).sum()) / total
    size = (_LIGHT_GRID, _LIGHT_GRID)
    weighted = cv2.resize(luma * weights, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(weights, size, interpolation=cv2.INTER_AREA)
    above = cv2.GaussianBlur(weighted, (0, 0), _LIGHT_SIGMA, borderType=cv2.BORDER_CONSTANT)
    below = cv2.GaussianBlur(coarse, (0, 0), _LIGHT_SIGMA, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((above + _PRIOR * mean) / (below + _PRIOR), np.float32)


def skin_weights(mask: Mask, points: Points) -> Float:
    """Where a crop shows skin that tells of color: the mask without eyes, brows and lips.

    Args:
        mask: (size, size) float32 0..1, the face.
        points: (478, 2) landmarks in pixels of the mask.

    Returns:
        (64, 64) float32 0..1. All of the mask if nothing else would be left, and uniform if
        the mask is empty.
    """
    scale = _GRID / mask.shape[0]
    weights = np.array(cv2.resize(mask, (_GRID, _GRID), interpolation=cv2.INTER_AREA), np.float32)
    whole = weights.copy()
    near = np.clip((points + 0.5) * scale - 0.5, -_GRID, 2 * _GRID)
    upper = float(near[regions.NOSE_BASE, 1].mean())
    weights[max(round(upper), 0) :] *= np.float32(_LOWER_FACE)
    for part in (regions.RIGHT_EYE_AND_BROW, regions.LEFT_EYE_AND_BROW, regions.LIPS):
        outline = np.rint(cv2.convexHull(near[part].astype(np.float32))).astype(np.int32)
        cv2.fillConvexPoly(weights, outline, 0.0)
        cv2.polylines(weights, [outline], isClosed=True, color=0.0, thickness=3)
    if weights.sum() >= 1.0:
        return weights
    return whole if whole.sum() >= 1.0 else np.ones_like(whole)


def _without_outliers(crop: Float, weights: Float) -> Float:
    """Drop what is far brighter or darker than the rest: hair, glasses, highlights."""
    luma = cv2.transform(crop, _LUMA)
    total = float(weights.sum())
    mean = float((luma * weights).sum()) / total
    off = np.abs(luma - np.float32(mean))
    std = math.sqrt(float((off * off * weights).sum()) / total)
    kept = np.asarray(weights * (off <= max(_OUTLIER * std, 8.0)), np.float32)
    return kept if kept.sum() >= 1.0 else weights


class ColorMatch:
    """The color transfer of one tracked face, smoothed in time.

    Args:
        steps: from `parse_transfers`.
    """

    def __init__(self, steps: tuple[str, ...]) -> None:
        self._steps = steps
        self._frame: Statistics | None = None
        self._swap: Statistics | None = None
        self._light: Float | None = None

    def apply(self, swap: Image, frame: Image, weights: Float, rate: float) -> Float:
        """Measure both faces and correct the swapped one.

        Args:
            swap: (S, S, 3) uint8 BGR crop, not changed.
            frame: (T, T, 3) uint8 BGR, the same crop of the frame.
            weights: from `skin_weights`.
            rate: 0..1, how much of the new measurement to take; the first is taken whole.

        Returns:
            (S, S, 3) float32 BGR, 0..255, a new array.
        """
        corrected: Float = swap.astype(np.float32)
        if self._steps == ("none",):
            return corrected
        small_frame, small_swap = _grid(frame), _grid(swap)
        frame_weights = _without_outliers(small_frame, weights)
        swap_weights = _without_outliers(small_swap, weights)
        if "light" in self._steps:
            light = self._relight(small_frame, small_swap, frame_weights, swap_weights, rate)
            corrected *= _enlarged(light, swap.shape[0])
            small_swap *= _enlarged(light, _GRID)
        if self._steps[0] != "light":
            matrix = self._matrix(
                Statistics.of(small_frame, frame_weights),
                Statistics.of(small_swap, swap_weights),
                rate,
            )
            corrected = np.asarray(cv2.transform(corrected, matrix), np.float32)
        return np.clip(corrected, 0.0, 255.0, out=corrected)

    def _relight(
        self, frame: Float, swap: Float, frame_weights: Float, swap_weights: Float, rate: float
    ) -> Float:
        light = log_light(frame, swap, frame_weights, swap_weights)
        if self._light is not None:
            light = self._light + np.float32(rate) * (light - self._light)
        self._light = light
        return np.exp(light)

    def _matrix(self, frame: Statistics, swap: Statistics, rate: float) -> NDArray[np.float64]:
        if self._frame is not None and self._swap is not None:
            frame = self._frame.toward(frame, rate)
            swap = self._swap.toward(swap, rate)
        self._frame, self._swap = frame, swap
        return (shift if self._steps[0] == "avg" else reinhard)(frame, swap)


def _enlarged(light: Float, size: int) -> Float:
    ratio = cv2.resize(light, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(ratio, np.float32)[:, :, None]


def _grid(crop: Image) -> Float:
    how = cv2.INTER_AREA if crop.shape[0] >= _GRID else cv2.INTER_LINEAR
    return cv2.resize(crop, (_GRID, _GRID), interpolation=how).astype(np.float32)
