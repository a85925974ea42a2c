from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from export.errors import TrainingError
from export.face_folders import FaceFolders, read_faces
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT


def fill(folder: Path, count: int, seed: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:02}.png"), tiny.face(rng, 64))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> FaceFolders:
    a, b = fill(tmp_path / "a", 5, 0), fill(tmp_path / "b", 4, 1)
    return FaceFolders(a, b, TINY_LIGHT, 3, 0)


def test_a_step_has_a_batch_of_each_side(source: FaceFolders) -> None:
    batches = source.draw(0)
    assert [(batch.side, batch.face.shape) for batch in batches] == [
        ("a", (3, 32, 32, 3)),
        ("b", (3, 32, 32, 3)),
    ]
    assert batches[0].target.shape == (3, 64, 64, 3)
    np.testing.assert_array_equal(source.draw(0)[1].face, batches[1].face)


def test_held_out_faces_are_not_trained_on(source: FaceFolders) -> None:
    assert source.counts() == {"a": 4, "b": 3}
    assert [len(batch.face) for batch in source.validation(8)] == [1, 1]


def test_both_folders_must_differ(tmp_path: Path) -> None:
    same = fill(tmp_path / "a", 2, 0)
    with pytest.raises(TrainingError, match="expected two folders"):
        FaceFolders(same, tmp_path / "a" / ".." / "a", TINY_LIGHT, 3, 0)


def test_unreadable_pictures_are_left_out_and_too_few_refused(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", 2, 0)
    (folder / "broken.jpg").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("no picture")
    assert len(read_faces(folder, 16)) == 2
    (folder / "00.png").unlink()
    with pytest.raises(TrainingError, match="has 1 readable pictures, expected at least 2"):
        read_faces(folder, 16)
