from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.pipeline import updated
from benchmarks.pipeline_matrix import Case, cases
from benchmarks.roofline import Roof, Work, count_macs
from benchmarks.stages import STAGES, least
from benchmarks.tiled_clip import SIZES, Scene, tile
from engine.models import model_path


def test_the_slower_of_memory_and_arithmetic_is_the_bound() -> None:
    roof = Roof(bytes_per_s=1e9, macs_per_s=1e10)
    assert roof.bound_ms(Work(moved=1e6, macs=1e6)) == pytest.approx(1.0)
    assert roof.bound_ms(Work(moved=1e6, macs=1e9)) == pytest.approx(100.0)


def test_bytes_are_those_of_the_pictures() -> None:
    works = least(Scene("720p", 2), faces=2, face_pixels=1000, macs=500)
    assert set(works) == set(STAGES)
    assert works["capture"].moved == 1280 * 720 * 4.5
    assert works["swap"].macs == 1000
    assert works["blend"].moved == 6000


def test_bundled_network_is_counted() -> None:
    assert count_macs(model_path("maro")) == 470_974_464


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("faces", [1, 2, 3, 4])
def test_clips_have_their_size_and_as_many_heads(size: str, faces: int) -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    image[300:350, 620:660] = 255
    tiled = tile(image, Scene(size, faces))
    assert tiled.shape[1::-1] == SIZES[size]
    bright = tiled[round(325 / 720 * SIZES[size][1])].mean(axis=1) > 128
    assert int((np.diff(bright.astype(int)) == 1).sum()) == faces


def test_every_cell_is_measured_once() -> None:
    chosen = cases(["sizes", "faces", "streams", "sinks"], streams=4)
    assert len(set(chosen)) == len(chosen) == 4 + 3 + 2 + 4
    assert chosen[0] == Case()
    assert cases([], 4) == [Case()]
    assert {case.streams for case in cases(["streams"], 6)} == {1, 2, 4}


def test_a_part_of_the_matrix_leaves_the_rest_of_a_result(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.json"
    assert updated(file, {"fps": 1}) == {"fps": 1}
    file.write_text('{"fps": 1, "matrix": {"a": 1, "b": 1}}')
    assert updated(file, {"matrix": {"b": 2}}) == {"fps": 1, "matrix": {"a": 1, "b": 2}}
    assert updated(file, {"fps": 3}) == {"fps": 3, "matrix": {"a": 1, "b": 1}}
