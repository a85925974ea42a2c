from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from export.distill import Taught
from export.model import FaceSwapper
from export.pair_folder import PairBatches, PairFolder
from export.preview import tensor_to_pictures
from export.samples import pictures_to_tensor
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL


@pytest.fixture
def source(tmp_path: Path) -> PairFolder:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(6))
    tiny.write(tmp_path / "holdout-00000.npz", tiny.shard(2, seed=9))
    return PairFolder(tmp_path, TINY_LIGHT, PairBatches(size=6, own_share=0.5), 0)


def test_the_faces_of_a_join_decoder_b_with_the_answers_of_the_teacher(source: PairFolder) -> None:
    teacher = FaceSwapper(TINY_LIGHT)
    taught, plain = (
        {batch.side: batch for batch in one.draw(4)} for one in (Taught(source, teacher), source)
    )
    for own, same in zip(taught["a"][1:], plain["a"][1:], strict=True):
        np.testing.assert_array_equal(own, same)
    assert [len(array) for array in taught["b"][1:]] == [6] * 5
    np.testing.assert_array_equal(taught["b"].target[:3], plain["b"].target)
    np.testing.assert_array_equal(taught["b"].face[3:], plain["a"].face)
    np.testing.assert_array_equal(taught["b"].mask[3:], plain["a"].mask)
    # The tiny network reads at half the size at which it draws.
    halves = plain["a"].target.reshape(3, 32, 2, 32, 2, 3).mean(axis=(2, 4)).round()
    with torch.no_grad():
        seen = pictures_to_tensor(halves.astype(np.uint8), torch.device("cpu"))
        drawn = tensor_to_pictures(teacher(seen, "b")).astype(int)
    assert np.abs(taught["b"].target[3:] - drawn).max() <= 1


def test_a_teacher_of_another_size_is_brought_to_the_students(source: PairFolder) -> None:
    taught = Taught(source, FaceSwapper(TINY_ORIGINAL))
    faces = source.draw(0)[0].target
    assert taught.answer(faces).shape == faces.shape == (3, 64, 64, 3)


def test_the_rest_is_the_sources(source: PairFolder) -> None:
    taught = Taught(source, FaceSwapper(TINY_ORIGINAL))
    assert taught.refresh() == source.refresh()
    assert taught.counts() == source.counts()
    for one, same in zip(taught.validation(2), source.validation(2), strict=True):
        np.testing.assert_array_equal(one.target, same.target)
