from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from export.parity import TOLERANCE, Parity, compare
from tests.tiny_models import write_model

FACES = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)


def test_the_worst_counts(tmp_path: Path) -> None:
    content = write_model(tmp_path / "model.onnx").read_bytes()
    enlarged = FACES.repeat(2, axis=2).repeat(2, axis=3)
    same = compare(content, FACES, [enlarged])
    assert (same.largest, same.mean) == (0, 0)
    assert same.ssim == pytest.approx(1, abs=1e-5)
    off = enlarged.copy()
    off[1, 0, 5, 7] += 0.5
    spoiled = compare(content, FACES, [off])
    assert spoiled.largest == pytest.approx(0.5)
    assert spoiled.mean == pytest.approx(0.5 / off.size)
    assert spoiled.ssim < same.ssim


@pytest.mark.parametrize("figure", ["largest", "mean", "ssim"])
def test_every_figure_can_fail(figure: str) -> None:
    good = {"largest": 0.0, "mean": 0.0, "ssim": 1.0}
    assert Parity(**good).within(TOLERANCE["int8"])
    bad = 0.5 if figure == "ssim" else 2.0
    assert not Parity(**good | {figure: bad}).within(TOLERANCE["int8"])
    assert not Parity(**good | {figure: math.nan}).within(TOLERANCE["int8"])
