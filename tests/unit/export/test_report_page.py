from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.deployed import open_model
from export.errors import TrainingError
from export.held_aside import HeldAside
from export.model_report import Swapped, measure
from export.poses import Pose
from export.report_page import describe, draw_grid, markdown, write
from tests.tiny_models import write_model

CALM, SHUT = Pose("frontal", "calm"), Pose("left", "shut eyes")


def swapped(*poses: Pose | None, truth: bool = True) -> Swapped:
    """Face i is a flat picture of level 10 i, its swap 10 i + 1 and its truth 10 i + 2."""
    count = len(poses)
    level = 10 * np.arange(count, dtype=np.uint8)[:, None, None, None]
    flat = np.zeros((count, 128, 128, 3), np.uint8) + level
    region = np.full((count, 128, 128), 255, np.uint8)
    known = flat + 2 if truth else None
    rendered = np.arange(count) % 2 == 0
    faces = HeldAside(flat[:, ::2, ::2], flat, region, truth=known, rendered=rendered)
    return Swapped(faces, flat + 1, poses)


def test_rows_are_expressions_and_columns_are_turns() -> None:
    grid = draw_grid(swapped(CALM, SHUT, CALM, None))
    three, gap, margin = 3 * 128, 6, 24
    assert grid.shape == (margin + 3 * (128 + gap), margin + 5 * (three + gap), 3)
    column = margin + gap + 2 * (three + gap)
    middles = [column + 64 + 128 * i for i in range(3)]
    first, second, last = (margin + gap + 64 + row * (128 + gap) for row in range(3))
    assert grid[first, middles, 0].tolist() == [0, 1, 2]
    assert grid[second, middles, 0].tolist() == [20, 21, 22]
    assert grid[last, margin + gap + 64, 0] == 10
    assert grid[last, middles, 0].tolist() == [235] * 3  # nobody


def test_nobody_real_is_drawn_if_asked() -> None:
    grid = draw_grid(swapped(CALM, CALM, CALM), renders_only=True)
    column = 24 + 6 + 2 * (3 * 128 + 6) + 64
    levels = grid[:, column, 0]
    assert 20 in levels
    assert 10 not in levels  # the second one is a photograph
    unknown = swapped(CALM)
    unknown = replace(unknown, faces=replace(unknown.faces, rendered=None))
    with pytest.raises(TrainingError, match="nobody to draw"):
        draw_grid(unknown, renders_only=True)


def test_without_truth_a_cell_has_two_pictures() -> None:
    assert draw_grid(swapped(CALM, truth=False)).shape[1] == 24 + 5 * (2 * 128 + 6)


@pytest.mark.parametrize("embedder", [True, False])
def test_table_and_json_say_the_same(tmp_path: Path, *, embedder: bool) -> None:
    write_model(tmp_path / "model.onnx")
    model, shown = open_model(tmp_path / "model.onnx"), swapped(CALM, SHUT)
    embed = (lambda faces: faces.mean(axis=(1, 2))) if embedder else None
    described = describe(model, shown, measure(model, shown, shown.faces.own(), embed, 1))
    table = markdown(described, "no embedder; pip install something")
    assert "nobody, 64 px in, 128 px out." in table
    swap = described["swap"]["photographed"]
    assert f"swap of photographed faces against the truth | SSIM {swap['ssim']:.3f}" in table
    assert ("no embedder; pip install something" in table) is not embedder
    assert ("identity distance, swap to source" in table) is embedder
    assert "| calm |  |  | " in table
    written = write(tmp_path / "new" / "v1.2", draw_grid(shown), table, described)
    assert [path.name for path in written] == ["v1.2.png", "v1.2.md", "v1.2.json"]
    assert json.loads(written[2].read_text()) == described
    assert len(list((tmp_path / "new").iterdir())) == 3
