"""Nonlinear color transfers: the swap's colors are carried to the frame's, slice by slice.

Along one direction of the color space the best transport is known: the quantiles of one
picture go to those of the other. Repeated for several directions, the clouds of colors
become alike. What is found on a small sample of the face is a function of color, so it is
kept on a coarse lattice: smooth in color, cheap to apply to any number of pixels, and easy to
smooth in time.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.face import Image
from engine.moments import CONTRAST, OPPONENT, Statistics, gray_share

Float: TypeAlias = NDArray[np.float32]

NODES = 17
"""Nodes of the lattice along each color, 16 gray levels apart."""

_STEP = 256.0 / (NODES - 1)
_STRIDE = 2  # every other row and column of the measured crop is enough
_ITERATIONS = 6
_BATCHES, _BATCH = 4, 9
_BINS = 128
_QUANTILES = 48
_MARGIN = 3.0  # gray levels around the samples, so that blurring their histogram fits in


@cache
def idt_directions() -> Float:
    """(6, 3, 3) unit directions: orthonormal axes, turned from one iteration to the next.

    Iterative distribution transfer matches the distributions along three axes at once.
    Source: F. Pitie, A. Kokaram, R. Dahyot, "Automated colour grading using colour
    distribution transfer", CVIU 107(1-2), 2007. The rotations are random but always the same
    ones, so that a still picture keeps its colors; the first is the opponent space.
    """
    random = np.random.default_rng(2007)
    turns = [np.linalg.qr(random.normal(size=(3, 3)))[0] for _ in range(_ITERATIONS - 1)]
    return np.asarray([OPPONENT, *(OPPONENT @ turn for turn in turns)], np.float32)


@cache
def sot_directions() -> Float:
    """(4, 9, 3) unit directions, spread evenly, turned from one batch to the next.

    Sliced optimal transport follows the mean of the transports along many directions.
    Source: J. Rabin, G. Peyre, J. Delon, M. Bernot, "Wasserstein barycenter and its
    application to texture mixing", SSVM 2011; here with few directions, always the same ones,
    and steps that are exact for a shift.
    """
    random = np.random.default_rng(2011)
    turned = [np.linalg.qr(random.normal(size=(3, 3)))[0] for _ in range(_BATCHES * _BATCH // 3)]
    # Sets of orthonormal axes: the mean of their projections is a third of the vector.
    return np.asarray(turned, np.float32).reshape(_BATCHES, _BATCH, 3)


def displacement(  # noqa: PLR0913, PLR0917  # two pictures, each with its weights and statistics
    frame: Image,
    swap: Float,
    frame_weights: Float,
    swap_weights: Float,
    frame_statistics: Statistics,
    swap_statistics: Statistics,
    directions: Float,
) -> Float:
    """Where each color of the swap has to go.

    Args:
        frame: (G, G, 3) uint8 BGR crop of the frame's face.
        swap: (G, G, 3) float32 BGR 0..255, the same place of the swap.
        frame_weights: (G, G) float32 >= 0, what counts in `frame`.
        swap_weights: as `frame_weights`, for `swap`.
        frame_statistics: of what counts in `frame`; the spread is limited by `CONTRAST`.
        swap_statistics: of what counts in `swap`.
        directions: from `idt_directions` or `sot_directions`.

    Returns:
        (17, 17, 17, 3) float32, what to add to the color whose B, G and R are 16 times the
        three indices; smooth, exactly 0 if the pictures are the same.
    """
    wanted, wanted_weights = _samples(frame, frame_weights)
    present, present_weights = _samples(swap, swap_weights)
    wanted = _limited(wanted, frame_statistics, swap_statistics)
    nodes = _nodes()
    points = np.concatenate([present, nodes])
    for axes in directions:
        _carry(points, present_weights, wanted, wanted_weights, axes)
    moved = points[len(present) :]
    kept = gray_share(frame_statistics, swap_statistics)
    if kept < 1.0:
        chroma = OPPONENT[1:].T @ OPPONENT[1:]
        gray = OPPONENT.T @ frame_statistics.mean
        moved = moved - (1.0 - kept) * (moved - gray) @ chroma
    return np.asarray(moved - nodes, np.float32).reshape(NODES, NODES, NODES, 3)


@cache
def _nodes() -> Float:
    levels = np.arange(NODES, dtype=np.float32) * np.float32(_STEP)
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)


def _samples(crop: Image | Float, weights: Float) -> tuple[Float, Float]:
    part = np.s_[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE]
    weight = weights[part].reshape(-1)
    counts = weight > 0.0
    if not counts.any():
        counts, weight = np.ones_like(counts), np.ones_like(weight)
    colors = np.asarray(crop[part].reshape(-1, 3)[counts], np.float32)
    return colors, np.asarray(weight[counts], np.float32)


def _limited(samples: Float, frame: Statistics, swap: Statistics) -> Float:
    """Shrink a cloud of colors that is so wide that following it would show blotches."""
    ratio = (frame.std + 1.0) / (swap.std + 1.0)
    gain = np.minimum(1.0, CONTRAST[1] / ratio)
    if (gain == 1.0).all():
        return samples
    linear = OPPONENT.T @ np.diag(gain) @ OPPONENT
    mean = OPPONENT.T @ frame.mean
    return np.asarray((samples - mean) @ linear.T + mean, np.float32)


@compiled
def _carry(
    points: Float, weights: Float, wanted: Float, wanted_weights: Float, axes: Float
) -> None:
    """Move points, of which the first `len(weights)` are the swap's, toward the wanted cloud."""
    count = weights.shape[0]
    moves = np.zeros_like(points)
    projected = np.empty(points.shape[0], np.float32)
    target = np.empty(wanted.shape[0], np.float32)
    table = np.empty(_BINS, np.float32)
    share = np.float32(3.0 / axes.shape[0])
    for axis in axes:
        low, high = np.float32(np.inf), np.float32(-np.inf)
        for i in range(points.shape[0]):
            projected[i] = points[i, 0] * axis[0] + points[i, 1] * axis[1] + points[i, 2] * axis[2]
            if i < count:
                low, high = min(low, projected[i]), max(high, projected[i])
        for i in range(wanted.shape[0]):
            target[i] = wanted[i, 0] * axis[0] + wanted[i, 1] * axis[1] + wanted[i, 2] * axis[2]
            low, high = min(low, target[i]), max(high, target[i])
        low -= np.float32(_MARGIN)
        per_bin = (high + np.float32(_MARGIN) - low) / np.float32(_BINS)
        present = _quantiles(projected[:count], weights, low, per_bin)
        goal = _quantiles(target, wanted_weights, low, per_bin)
        _tabulate(present, _smoothed(goal - present), low, per_bin, table)
        for i in range(points.shape[0]):
            place = (projected[i] - low) / per_bin - np.float32(0.5)
            place = min(max(place, np.float32(0)), np.float32(_BINS - 1.001))
            left = int(place)
            part = place - np.float32(left)
            move = share * (table[left] + part * (table[left + 1] - table[left]))
            for c in range(3):
                moves[i, c] += move * axis[c]
    points += moves


@compiled
def _quantiles(values: Float, weights: Float, low: np.float32, per_bin: np.float32) -> Float:
    """Evenly spaced quantiles of weighted values, from their slightly blurred histogram."""
    histogram = np.zeros(_BINS + 2, np.float64)
    for i in range(values.shape[0]):
        place = int((values[i] - low) / per_bin) + 1
        weight = np.float64(weights[i])
        histogram[min(max(place, 1), _BINS)] += weight
    blurred = np.zeros(_BINS, np.float64)
    total = 0.0
    for k in range(_BINS):
        blurred[k] = 0.25 * histogram[k] + 0.5 * histogram[k + 1] + 0.25 * histogram[k + 2]
        total += blurred[k]
    quantiles = np.empty(_QUANTILES, np.float32)
    below, k = 0.0, 0
    for j in range(_QUANTILES):
        wanted = total * (j + 0.5) / _QUANTILES
        while k < _BINS - 1 and below + blurred[k] < wanted:
            below += blurred[k]
            k += 1
        inside = (wanted - below) / blurred[k] if blurred[k] > 0 else 0.5
        quantiles[j] = low + per_bin * np.float32(k + min(max(inside, 0.0), 1.0))
    return quantiles


@compiled
def _smoothed(moves: Float) -> Float:
    """Mean of five neighbors: two colors that are alike must not part."""
    smoothed = np.empty_like(moves)
    for j in range(_QUANTILES):
        total = np.float32(0)
        for k in range(j - 2, j + 3):
            total += moves[min(max(k, 0), _QUANTILES - 1)]
        smoothed[j] = total * np.float32(0.2)
    return smoothed


@compiled
def _tabulate(
    places: Float, moves: Float, low: np.float32, per_bin: np.float32, table: Float
) -> None:
    """Moves at the bins' centers from those at some places, constant beyond the outermost."""
    j = 0
    for k in range(_BINS):
        x = low + per_bin * np.float32(k + 0.5)
        while j < _QUANTILES - 1 and places[j + 1] <= x:
            j += 1
        if x <= places[0] or j == _QUANTILES - 1:
            table[k] = moves[j]
        else:
            part = (x - places[j]) / max(places[j + 1] - places[j], np.float32(1e-6))
            table[k] = moves[j] + part * (moves[j + 1] - moves[j])


@compiled
def carry_over(swap: Float, table: Float, out: Float) -> None:
    """Add to each pixel what a lattice says for its color, interpolated linearly.

    Args:
        swap: (S, S, 3) float32 BGR >= 0, not changed; above 255 counts as 255.
        table: (17, 17, 17, 3) float32 from `displacement`.
        out: (S, S, 3) float32 BGR, gets the result, 0..255.
    """
    scale = np.float32(1.0 / _STEP)
    top = np.float32(255)
    for y in range(swap.shape[0]):
        for x in range(swap.shape[1]):
            b = min(swap[y, x, 0], top)
            g = min(swap[y, x, 1], top)
            r = min(swap[y, x, 2], top)
            i, j, k = int(b * scale), int(g * scale), int(r * scale)
            u, v, w = b * scale - i, g * scale - j, r * scale - k
            one = np.float32(1)
            w00, w01 = (one - u) * (one - v), (one - u) * v
            w10, w11 = u * (one - v), u * v
            for c in range(3):
                front = (
                    w00 * table[i, j, k, c]
                    + w01 * table[i, j + 1, k, c]
                    + w10 * table[i + 1, j, k, c]
                    + w11 * table[i + 1, j + 1, k, c]
                )
                back = (
                    w00 * table[i, j, k + 1, c]
                    + w01 * table[i, j + 1, k + 1, c]
                    + w10 * table[i + 1, j, k + 1, c]
                    + w11 * table[i + 1, j + 1, k + 1, c]
                )
                color = b if c == 0 else (g if c == 1 else r)
                value = color + front + w * (back - front)
                out[y, x, c] = min(max(value, np.float32(0)), top)
