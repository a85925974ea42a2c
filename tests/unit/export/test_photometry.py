from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.face import Image
from export import photometry
from tests.unit.export import tiny

Change = Callable[[Image, np.random.Generator], Image]
CHANGES: list[Change] = [
    photometry.random_camera,
    photometry.random_tone,
    photometry.random_light,
    photometry.random_softness,
    photometry.random_noise,
    photometry.random_jpeg,
]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_colors_and_leaves_the_input_alone(change: Change) -> None:
    rng = np.random.default_rng(0)
    image = tiny.face(rng, 64)
    before = image.copy()
    results = [change(image, rng) for _ in range(10)]
    np.testing.assert_array_equal(image, before)
    assert {(result.shape, result.dtype) for result in results} == {(image.shape, image.dtype)}
    assert any((result != image).any() for result in results)


@pytest.mark.parametrize("change", CHANGES)
def test_moves_nothing(change: Change) -> None:
    """The dark spots of the eyes stay where they are."""
    rng = np.random.default_rng(2)
    image = tiny.face(rng, 64)
    dark = image.max(axis=2) == 20
    for _ in range(10):
        changed = change(image, rng).mean(axis=2)
        around = np.roll(dark, 5, axis=0) & ~dark & (image.max(axis=2) > 100)
        assert changed[dark].mean() < changed[around].mean()
