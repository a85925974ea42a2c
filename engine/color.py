"""Give the swapped face the colors and the light of the face that it replaces.

Statistics are weighted means over the aligned crop, so hair, background, eyes and mouth do
not count. They are smoothed in time, both faces' alike: when the light changes and the model
follows it, both lag by the same amount and the correction stays right.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import light, moments, regions, transport
from engine.align import Points
from engine.errors import EngineError
from engine.face import Image, Mask
from engine.moments import Statistics

Float: TypeAlias = NDArray[np.float32]

_LINEAR: dict[str, moments.Transfer] = {
    "avg": moments.shift,
    "lab": moments.reinhard,
    "lct": moments.covariance_match,
    "mkl": moments.monge_kantorovich,
}
_SLICED = {"idt": transport.idt_directions, "sot": transport.sot_directions}

COLORS = (*_LINEAR, *_SLICED)

TRANSFERS = ("none", *COLORS, "light")
"""`none`: keep the model's colors. `avg`: shift the mean. `lab`: match mean and standard
deviation of lightness and both color differences (Reinhard). `lct`: match mean and covariance.
`mkl`: the same, moving colors least (Monge-Kantorovich). `idt`: match the whole distribution by
iterative transfer along turned axes. `sot`: the same along many directions at once (sliced
optimal transport). `light`: match the blurred brightness from place to place (one-sided light,
shadows)."""

_GRID = 64
_LOWER_FACE = 0.25  # weight of chin and upper lip, where a beard is no skin
_OUTLIER = 1.8  # standard deviations from the mean brightness


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
            f"expected one of {', '.join(TRANSFERS)}, or a color such as lab with +light"
        )
    if len(steps) > 2 or (len(steps) == 2 and (steps[0] not in COLORS or steps[1] != "light")):
        raise EngineError(
            f"color {text!r} does not combine; expected one method, "
            f"or one of {', '.join(COLORS)} with +light"
        )
    return steps


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


def _without_outliers(crop: Image, weights: Float) -> Float:
    """Drop what is far brighter or darker than the rest: hair, glasses, highlights."""
    brightness = light.luma(crop)
    mean = float((brightness * weights).sum()) / float(weights.sum())
    off = np.abs(brightness - np.float32(mean))
    std = math.sqrt(float((off * off * weights).sum()) / float(weights.sum()))
    kept = np.asarray(weights * (off <= max(_OUTLIER * std, 8.0)), np.float32)
    return kept if kept.sum() >= 1.0 else weights


class ColorMatch:
    """The color transfer of one tracked face, smoothed in time.

    Attributes:
        steps: from `parse_transfers`; another one may be set between two faces and goes on
            from what has been measured.
    """

    def __init__(self, steps: tuple[str, ...] = ("none",)) -> None:
        self.steps = steps
        self._frame: Statistics | None = None
        self._swap: Statistics | None = None
        self._light: Float | None = None
        self._moves: dict[str, Float] = {}
        self._lit = self._new = np.empty((0, 0, 3), np.float32)

    def apply(self, swap: Image, frame: Image, weights: Float, rate: float) -> Float:
        """Measure both faces and correct the swapped one.

        Args:
            swap: (S, S, 3) uint8 BGR crop, not changed.
            frame: (T, T, 3) uint8 BGR, the same crop of the frame.
            weights: (64, 64) float32 from `skin_weights`; where nothing is above 0, all counts.
            rate: 0..1, how much of the new measurement to take; the first is taken whole.

        Returns:
            (S, S, 3) float32 BGR, 0..255. It belongs to this object, and the next call
            overwrites it: fresh memory would cost more than the arithmetic.
        """
        if self._new.shape != swap.shape:
            self._new = np.empty(swap.shape, np.float32)
            self._lit = np.empty(swap.shape, np.float32)
        if self.steps == ("none",):
            np.copyto(self._new, swap)
            return self._new
        method = self.steps[0]
        small_frame, small_swap = _grid(frame), _grid(swap)
        weights = np.where(weights > 0.0, weights, np.float32(0.0))  # NaN counts as nothing
        weights = weights if weights.any() else np.ones_like(weights)
        frame_weights = _without_outliers(small_frame, weights)
        swap_weights = _without_outliers(small_swap, weights)
        if "light" in self.steps:
            ratio = light.log_ratio(small_frame, small_swap, frame_weights, swap_weights)
            self._light = _toward(self._light, ratio, rate)
            light.relight(swap, self._light, self._lit, self._new)
            lit = np.empty((2, _GRID, _GRID, 3), np.float32)
            lit = light.relight(small_swap, self._light, *lit)
        else:
            np.copyto(self._lit, swap)
            lit = small_swap.astype(np.float32)
        if method == "light":
            return np.clip(self._lit, 0.0, 255.0, out=self._new)
        now = Statistics.of(small_frame, frame_weights), Statistics.of(lit, swap_weights)
        wanted, present = self._settled(*now, rate)
        if method in _LINEAR:
            matrix = _LINEAR[method](wanted, present).astype(np.float32)
            cv2.transform(self._lit, matrix, self._new)
            return np.clip(self._new, 0.0, 255.0, out=self._new)
        moves = transport.displacement(
            small_frame, lit, frame_weights, swap_weights, *now, _SLICED[method]()
        )
        self._moves = {method: _toward(self._moves.get(method), moves, rate)}
        transport.carry_over(self._lit, self._moves[method], self._new)
        return self._new

    def _settled(
        self, frame: Statistics, swap: Statistics, rate: float
    ) -> tuple[Statistics, Statistics]:
        """Both faces' statistics, smoothed in time."""
        if self._frame is not None and self._swap is not None:
            frame = self._frame.toward(frame, rate)
            swap = self._swap.toward(swap, rate)
        self._frame, self._swap = frame, swap
        return frame, swap


def _toward(old: Float | None, new: Float, rate: float) -> Float:
    return new if old is None else np.asarray(old + np.float32(rate) * (new - old), np.float32)


def _grid(crop: Image) -> Image:
    """The crop at the size it is measured at."""
    # OpenCV's area filter is several times faster where it halves.
    while crop.shape[0] >= 2 * _GRID and crop.shape[0] % 2 == 0:
        half = crop.shape[0] // 2
        crop = np.asarray(cv2.resize(crop, (half, half), interpolation=cv2.INTER_AREA), np.uint8)
    if crop.shape[0] == _GRID:
        return crop
    how = cv2.INTER_AREA if crop.shape[0] > _GRID else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (_GRID, _GRID), interpolation=how), np.uint8)


def warm_up(steps: tuple[str, ...]) -> None:
    """Compile or load the loops of these steps now, so that the first frame does not wait."""
    crop = np.zeros((8, 8, 3), np.uint8)
    ColorMatch(steps).apply(crop, crop, np.ones((_GRID, _GRID), np.float32), 1.0)
