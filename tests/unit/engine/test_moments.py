"""Linear color transfers on known distributions."""

from __future__ import annotations

import numpy as np
import pytest

from engine import moments
from engine.moments import CONTRAST, OPPONENT, Double, Float, Statistics

WEIGHTS = np.ones((64, 64), np.float32)
TRANSFERS = [
    moments.shift,
    moments.reinhard,
    moments.covariance_match,
    moments.monge_kantorovich,
]


def cloud(mean: tuple[float, ...], mixing: list[list[float]], seed: int) -> Float:
    normal = np.random.default_rng(seed).standard_normal((64, 64, 3))
    return (normal @ np.array(mixing).T + mean).astype(np.float32)


def moved(matrix: Double, crop: Float) -> Float:
    return (crop @ matrix[:, :3].T + matrix[:, 3]).astype(np.float32)


CENTER = np.array((90, 120, 160), np.float32)
SWAP = cloud((90, 120, 160), [[15, 0, 0], [4, 14, 0], [1, 4, 16]], 1)
FRAME = cloud((60, 80, 140), [[11, 0, 0], [-2, 10, 0], [4, -3, 11]], 2)


def test_statistics_are_those_of_the_weighted_pixels() -> None:
    weights = np.random.default_rng(0).uniform(0, 1, (64, 64)).astype(np.float32)
    weights[:5], weights[5, 0] = 0.0, np.nan
    found = Statistics.of(SWAP, weights)
    colors = SWAP[6:].reshape(-1, 3).astype(np.float64) @ OPPONENT.T
    colors = np.concatenate([SWAP[5, 1:].astype(np.float64) @ OPPONENT.T, colors])
    aweights = np.concatenate([weights[5, 1:], weights[6:].reshape(-1)])
    expected = np.cov(colors.T, aweights=aweights, ddof=0)
    assert np.allclose(found.covariance, expected, atol=1e-3)
    assert np.allclose(found.mean, np.average(colors, axis=0, weights=aweights), atol=1e-4)


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_equal_statistics_give_the_identity(transfer: moments.Transfer) -> None:
    for picture in (SWAP, np.full_like(SWAP, 77), np.zeros_like(SWAP), np.tile(SWAP[:, :, :1], 3)):
        same = Statistics.of(picture, WEIGHTS)
        assert np.allclose(transfer(same, same), np.eye(3, 4), atol=1e-9)


@pytest.mark.parametrize("transfer", [moments.covariance_match, moments.monge_kantorovich])
def test_mean_and_covariance_become_the_frames(transfer: moments.Transfer) -> None:
    frame, swap = Statistics.of(FRAME, WEIGHTS), Statistics.of(SWAP, WEIGHTS)
    result = Statistics.of(moved(transfer(frame, swap), SWAP), WEIGHTS)
    assert np.allclose(result.mean, frame.mean, atol=1e-3)
    assert np.abs(result.covariance - frame.covariance).max() < 3.0
    assert np.abs(swap.covariance - frame.covariance).max() > 30.0


def test_reinhard_matches_each_axis_and_shift_only_the_mean() -> None:
    frame, swap = Statistics.of(FRAME, WEIGHTS), Statistics.of(SWAP, WEIGHTS)
    result = Statistics.of(moved(moments.reinhard(frame, swap), SWAP), WEIGHTS)
    assert np.abs(result.std - frame.std).max() < 0.5
    assert np.abs(result.covariance - frame.covariance).max() > 10.0
    shifted = Statistics.of(moved(moments.shift(frame, swap), SWAP), WEIGHTS)
    assert np.allclose(shifted.mean, frame.mean, atol=1e-3)
    assert np.allclose(shifted.covariance, swap.covariance, atol=1e-1)


def test_monge_kantorovich_is_symmetric_and_moves_least() -> None:
    frame, swap = Statistics.of(FRAME, WEIGHTS), Statistics.of(SWAP, WEIGHTS)
    least = moments.monge_kantorovich(frame, swap)
    other = moments.covariance_match(frame, swap)
    assert np.allclose(least[:, :3], least[:, :3].T)
    assert np.abs(other[:, :3] - other[:, :3].T).max() > 1e-3
    costs = [float(((moved(matrix, SWAP) - SWAP) ** 2).mean()) for matrix in (least, other)]
    assert costs[0] < costs[1]


@pytest.mark.parametrize("transfer", TRANSFERS[1:])
def test_gains_are_limited(transfer: moments.Transfer) -> None:
    calm = Statistics.of((SWAP - CENTER) * np.float32(0.05) + CENTER, WEIGHTS)
    wild = Statistics.of((SWAP - CENTER) * np.float32(5.0) + CENTER, WEIGHTS)
    for frame, swap, gain in ((calm, wild, CONTRAST[0]), (wild, calm, CONTRAST[1])):
        linear = OPPONENT @ transfer(frame, swap)[:, :3] @ OPPONENT.T
        assert np.allclose(np.diag(linear), gain, atol=1e-6)


def test_covariance_match_makes_no_color_of_slightly_tinted_shades() -> None:
    """Bright to dark by itself must stay within what the frame's own shades do."""
    shades = np.random.default_rng(5).normal(0, 20, (64, 64, 1))
    noise = np.random.default_rng(6).normal(0, 2, (64, 64, 3))
    frame = (shades * (0.7, 0.9, 1.1) + noise + CENTER).astype(np.float32)
    swap = (shades * (1.1, 1.0, 0.9) + noise[::-1] + CENTER).astype(np.float32)
    matrix = moments.covariance_match(Statistics.of(frame, WEIGHTS), Statistics.of(swap, WEIGHTS))
    dark_to_bright = OPPONENT @ matrix[:, :3] @ (1.1, 1.0, 0.9)
    assert dark_to_bright[0] == pytest.approx(1.56, abs=0.05)
    assert dark_to_bright[1:] == pytest.approx(OPPONENT[1:] @ (0.7, 0.9, 1.1), abs=0.1)


def test_gray_share() -> None:
    gray = Statistics.of(np.repeat(SWAP[:, :, :1], 3, axis=2), WEIGHTS)
    colored = Statistics.of(SWAP, WEIGHTS)
    assert moments.gray_share(gray, colored) < 1e-3
    assert moments.gray_share(colored, gray) == 1.0
    assert moments.gray_share(gray, gray) == 1.0
