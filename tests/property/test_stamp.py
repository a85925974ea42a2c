"""A stamp is read as what was painted, or not at all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream import stamp

times_ms = st.integers(0, stamp.PERIOD_MS - 1)


@given(time_ms=times_ms, width=st.integers(320, 1300), height=st.integers(180, 800))
def test_any_time_in_any_size(time_ms: int, width: int, height: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    stamp.paint(image, time_ms * 1_000_000)
    assert stamp.read(image) == time_ms


@given(
    time_ms=times_ms,
    flipped=st.sets(st.tuples(st.integers(0, 15), st.integers(0, 3)), min_size=1, max_size=6),
)
def test_damage_is_never_read_as_another_time(time_ms: int, flipped: set[tuple[int, int]]) -> None:
    image = np.zeros((180, 320, 3), np.uint8)
    stamp.paint(image, time_ms * 1_000_000)
    for column, row in flipped:
        cell = image[5 * row : 5 * row + 5, 5 * column : 5 * column + 5]
        cell[:] = 251 - cell
    assert stamp.read(image) is None


@given(
    time_ms=times_ms,
    seed=st.integers(0, 1 << 32),
    noise=st.integers(0, 120),
    brightness=st.integers(-30, 30),
)
def test_noise_costs_the_reading_but_never_its_truth(
    time_ms: int, seed: int, noise: int, brightness: int
) -> None:
    image = np.full((180, 320, 3), 128, np.uint8)
    stamp.paint(image, time_ms * 1_000_000)
    rng = np.random.default_rng(seed)
    dirty = image + rng.normal(brightness, noise, image.shape)
    assert stamp.read(np.clip(dirty, 0, 255).astype(np.uint8)) in {time_ms, None}
