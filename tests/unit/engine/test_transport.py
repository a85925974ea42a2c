"""Nonlinear color transfers on distributions that no linear one can match."""

from __future__ import annotations

import numpy as np
import pytest

from engine import moments, transport
from engine.moments import Float, Statistics

ONES = np.ones((64, 64), np.float32)
DIRECTIONS = {"idt": transport.idt_directions(), "sot": transport.sot_directions()}
METHODS = sorted(DIRECTIONS)


def two_tones(low: float, high: float, share: float, seed: int) -> Float:
    """Skin with a share of brighter pixels: a distribution with two peaks."""
    random = np.random.default_rng(seed)
    level = np.where(random.uniform(size=(64, 64)) < share, high, low)[:, :, None]
    colors = level * np.array([0.6, 0.8, 1.1]) + random.normal(0, 3, (64, 64, 3))
    return np.clip(np.rint(colors), 0, 255).astype(np.float32)


def moves(method: str, frame: Float, swap: Float, weights: Float = ONES) -> Float:
    return transport.displacement(
        frame.astype(np.uint8),
        swap,
        weights,
        weights,
        Statistics.of(frame, weights),
        Statistics.of(swap, weights),
        DIRECTIONS[method],
    )


def carried(table: Float, swap: Float) -> Float:
    out = np.empty_like(swap)
    transport.carry_over(swap, table, out)
    return out


def distance(a: Float, b: Float) -> float:
    """Mean earth mover's distance along many directions, in gray levels."""
    axes = np.random.default_rng(9).normal(size=(3, 50))
    axes /= np.linalg.norm(axes, axis=0)
    left, right = (np.sort(c.reshape(-1, 3) @ axes, axis=0) for c in (a, b))
    return float(np.abs(left - right).mean())


FRAME = two_tones(90, 140, 0.75, 1)
SWAP = two_tones(120, 180, 0.3, 2)


@pytest.mark.parametrize("method", METHODS)
def test_equal_pictures_move_nothing(method: str) -> None:
    for picture in (SWAP, np.zeros_like(SWAP), np.full_like(SWAP, 255)):
        assert (moves(method, picture, picture) == 0.0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_shift_is_found_exactly(method: str) -> None:
    table = moves(method, SWAP + 20, SWAP)
    assert np.abs(carried(table, SWAP) - SWAP - 20).max() < 1.5


@pytest.mark.parametrize("method", METHODS)
def test_the_distribution_comes_nearer_than_by_any_linear_map(method: str) -> None:
    result = carried(moves(method, FRAME, SWAP), SWAP)
    matrix = moments.monge_kantorovich(Statistics.of(FRAME, ONES), Statistics.of(SWAP, ONES))
    linear = (SWAP @ matrix[:, :3].T + matrix[:, 3]).astype(np.float32)
    assert distance(result, FRAME) < 0.7 * distance(linear, FRAME)


@pytest.mark.parametrize("method", METHODS)
def test_what_has_no_weight_does_not_count(method: str) -> None:
    weights = ONES.copy()
    weights[:, :32] = 0.0
    spoiled = FRAME.copy()
    spoiled[:, :32] = (255, 0, 255)
    assert np.array_equal(
        moves(method, spoiled, SWAP, weights), moves(method, FRAME, SWAP, weights)
    )


@pytest.mark.parametrize("method", METHODS)
def test_neighboring_colors_keep_their_order(method: str) -> None:
    random = np.random.default_rng(3)
    swap = np.clip(random.normal((90, 120, 160), 15, (64, 64, 3)), 0, 255).astype(np.float32)
    frame = np.clip(random.normal((70, 80, 110), 9, (64, 64, 3)), 0, 255).astype(np.float32)
    table = moves(method, frame, swap)
    for channel in range(3):
        assert (np.diff(table[..., channel], axis=channel) > -16.0).all()


@pytest.mark.parametrize("method", METHODS)
def test_noise_hardly_moves_the_map(method: str) -> None:
    first = carried(moves(method, FRAME, SWAP), SWAP)
    again = carried(moves(method, two_tones(90, 140, 0.75, 7), SWAP), SWAP)
    assert np.abs(first - again).mean() < 1.5


@pytest.mark.parametrize("directions", [transport.idt_directions(), transport.sot_directions()])
def test_directions_are_unit_and_even(directions: Float) -> None:
    for axes in directions:
        assert np.allclose(np.linalg.norm(axes, axis=1), 1.0, atol=1e-6)
        assert np.allclose(axes.T @ axes, np.eye(3) * len(axes) / 3, atol=1e-5)
