"""Smoothing of landmarks: what it takes away, and what it must not delay."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.align import FULL_FACE, apply, invert
from engine.errors import EngineError
from engine.one_euro import OneEuro, SmoothingSettings
from tests.painted_face import UNIT_LANDMARKS

SIZE = 200.0
STILL = UNIT_LANDMARKS * SIZE
SECOND = 1_000_000_000


def smooth(
    shots: NDArray[np.float64], rate: float = 30.0, size: float = SIZE
) -> NDArray[np.float64]:
    one_euro = OneEuro(SmoothingSettings())
    return np.array(
        [one_euro(points, size, round(i * SECOND / rate)) for i, points in enumerate(shots)]
    )


def moved(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return STILL + np.stack([x, np.zeros_like(x)], axis=-1)[:, None]


def test_a_still_face_with_one_pixel_of_noise_rests_within_a_quarter_pixel() -> None:
    noise = np.random.default_rng(1).normal(0, 1, (180, *STILL.shape))
    smoothed = smooth(STILL + noise)[60:]
    middle = np.array([[31.5, 31.5]])
    centers = np.array(
        [
            apply(invert(FULL_FACE.frame_to_crop(points.astype(np.float32), 64)), middle)[0]
            for points in smoothed
        ]
    )
    assert np.sqrt(((centers - centers.mean(axis=0)) ** 2).mean()) <= 0.25
    assert (smoothed - STILL).std() < 0.5


@pytest.mark.parametrize(("reach", "hertz"), [(0.15, 0.5), (0.3, 0.5), (0.3, 1.0), (0.1, 1.5)])
def test_a_moving_face_is_followed_within_a_frame(reach: float, hertz: float) -> None:
    frame = np.arange(120)
    true = reach * SIZE * np.sin(2 * np.pi * hertz * frame / 30)
    seen = (smooth(moved(true)) - STILL)[:, 0, 0]
    delays = np.arange(0, 4, 0.05)
    errors = [((seen - np.interp(frame - d, frame, true))[15:] ** 2).mean() for d in delays]
    assert delays[int(np.argmin(errors))] <= 1.0


def test_resolution_makes_no_difference() -> None:
    shots = moved(20 * np.sin(np.arange(60) / 5))
    assert np.allclose(smooth(shots * 3, size=SIZE * 3), smooth(shots) * 3)


def test_time_counts_and_not_frames() -> None:
    def step(rate: float) -> float:
        seconds = np.arange(int(rate)) / rate
        return float((smooth(moved(np.where(seconds > 0.5, 2.0, 0.0)), rate) - STILL)[-1, 0, 0])

    assert step(60) == pytest.approx(step(30), abs=0.1)


def test_a_gap_and_a_step_back_restart_it() -> None:
    one_euro = OneEuro(SmoothingSettings(max_gap_s=0.25))
    one_euro(STILL, SIZE, 0)
    assert not np.allclose(one_euro(STILL + 5, SIZE, SECOND // 30), STILL + 5)
    assert np.allclose(one_euro(STILL + 9, SIZE, SECOND), STILL + 9)
    assert np.allclose(one_euro(STILL - 9, SIZE, SECOND // 2), STILL - 9)


def test_the_same_time_twice_changes_nothing() -> None:
    one_euro = OneEuro(SmoothingSettings())
    first = one_euro(STILL, SIZE, 7)
    assert np.array_equal(one_euro(STILL + 50, SIZE, 7), first)


def test_the_answer_belongs_to_the_caller() -> None:
    one_euro = OneEuro(SmoothingSettings())
    one_euro(STILL, SIZE, 0)[:] = 0
    assert np.allclose(one_euro(STILL, SIZE, SECOND // 30), STILL)


@pytest.mark.parametrize(
    "setting", [{"min_cutoff_hz": 0.0}, {"beta_hz": -1.0}, {"max_gap_s": float("nan")}]
)
def test_settings_without_a_meaning_are_refused(setting: dict[str, float]) -> None:
    (name,) = setting
    with pytest.raises(EngineError, match=rf"{name} is .*expected"):
        SmoothingSettings(**setting)
