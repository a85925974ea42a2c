"""What holds for every track of points."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from engine.one_euro import OneEuro, SmoothingSettings

coordinates = st.floats(-5000, 5000, width=32)
tracks = st.integers(2, 12).flatmap(
    lambda length: arrays(np.float64, (length, 3, 2), elements=coordinates)
)
pauses_ms = st.lists(st.integers(0, 200), min_size=12, max_size=12)
settings = st.builds(
    SmoothingSettings,
    min_cutoff_hz=st.floats(0.01, 20),
    beta_hz=st.floats(0, 100),
    speed_cutoff_hz=st.floats(0.01, 20),
)


def run(
    track: NDArray[np.float64], pauses: list[int], chosen: SmoothingSettings
) -> NDArray[np.float64]:
    one_euro = OneEuro(chosen)
    times = np.cumsum(pauses) * 1_000_000
    return np.array(
        [one_euro(points, 100.0, int(time)) for points, time in zip(track, times, strict=False)]
    )


@given(tracks, pauses_ms, settings)
def test_it_never_leaves_the_range_of_what_was_measured(
    track: NDArray[np.float64], pauses: list[int], chosen: SmoothingSettings
) -> None:
    smoothed = run(track, pauses, chosen)
    assert (smoothed >= track.min(axis=0) - 1e-6).all()
    assert (smoothed <= track.max(axis=0) + 1e-6).all()


@given(tracks, pauses_ms, settings, coordinates, coordinates)
def test_a_shift_of_the_input_is_the_same_shift_of_the_output(
    track: NDArray[np.float64], pauses: list[int], chosen: SmoothingSettings, x: float, y: float
) -> None:
    shift = np.array([x, y])
    assert np.allclose(run(track + shift, pauses, chosen), run(track, pauses, chosen) + shift)


@given(arrays(np.float64, (3, 2), elements=coordinates), pauses_ms, settings)
def test_what_stands_still_is_left_alone(
    points: NDArray[np.float64], pauses: list[int], chosen: SmoothingSettings
) -> None:
    assert np.allclose(run(np.stack([points] * 12), pauses, chosen), points)
