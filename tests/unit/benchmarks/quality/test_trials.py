"""Trials with known answers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import trials
from benchmarks.quality.identity import write_identity
from benchmarks.quality.trials import Flicker, hair_crossing
from engine import align
from engine.blend import BlendSettings
from engine.swap import Swapper
from tests.painted_face import landmarks, smooth_picture, swapped


def test_flicker_of_a_known_series() -> None:
    means = np.array([[100, 50, 20], [102, 50, 20], [100, 50, 20], [102, 50, 20.5]])
    found = Flicker.of(means)
    assert found.sigma == pytest.approx(1.0)
    assert found.largest == pytest.approx(2.0)
    assert math.isnan(Flicker.of(means[:1]).sigma)


def test_the_identity_network_answers_with_the_crop(tmp_path: Path) -> None:
    swapper = Swapper(write_identity(tmp_path / "identity.onnx", 64), "cpu")
    frame, points = smooth_picture(120, 160), landmarks((80.0, 60.0), 90.0)
    (face,) = swapper(frame, (swapped(points, smooth_picture(64, 64)),))
    assert face.swap is not None
    assert face.swap.mask is None
    assert np.array_equal(face.swap.image, align.crop(frame, face.swap.frame_to_crop, 64))


def test_hair_over_the_edge_upsets_the_clone_and_not_the_feather(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "_FRINGE", range(-2, 10, 2))
    found = hair_crossing(BlendSettings(color="none"), landmarks((100.0, 100.0), 200.0))
    assert found.ours == 0.0
    assert found.seamless_clone > 10.0
