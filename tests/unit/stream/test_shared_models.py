from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelError
from stream.shared_models import SharedModels
from tests.tiny_models import write_model


def test_runs_that_want_the_same_model_share_it(tmp_path: Path) -> None:
    path, shared = write_model(tmp_path / "tiny.onnx"), SharedModels()
    with ThreadPoolExecutor(4) as pool:
        loaded = set(pool.map(lambda _: shared(path, "cpu", 1), range(8)))
    assert len(loaded) == shared.count == 1


def test_other_models_and_threads_are_others(tmp_path: Path) -> None:
    shared = SharedModels()
    one = write_model(tmp_path / "one.onnx")
    two = write_model(tmp_path / "two.onnx", gain=(0, 1, 0))
    assert len({shared(one, "cpu", 1), shared(one, "cpu", 2), shared(two, "cpu", 1)}) == 3
    assert shared.count == 3


def test_a_model_that_cannot_be_loaded_can_be_mended(tmp_path: Path) -> None:
    shared = SharedModels()
    path = tmp_path / "tiny.onnx"
    with pytest.raises(ModelError):
        shared(path, "cpu", 1)
    write_model(path)
    assert shared(path, "cpu", 1)._run(np.zeros((1, 3, 64, 64), np.float32))[0].shape[0] == 1
