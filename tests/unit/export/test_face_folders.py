from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.classic import COVERAGE
from export.crop_folder import read_crops
from export.errors import ExtractionError, TrainingError
from export.extraction.alignments import FILE_NAME, Aligned, write_alignments
from export.extraction.crops import SPAN
from export.extraction.quality import Scores
from export.extraction.sheet import CONTACT_SHEET
from export.face_folders import FaceFolders, held_out_rows
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


def test_a_link_to_the_same_folder_is_the_same(tmp_path: Path) -> None:
    same = fill(tmp_path / "a", 2, 0)
    (tmp_path / "b").symlink_to(same)
    with pytest.raises(TrainingError, match="expected two folders"):
        FaceFolders(same, tmp_path / "b", TINY_LIGHT, 3, 0)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_pictures_are_refused(tmp_path: Path, count: int) -> None:
    a, b = fill(tmp_path / "a", count, 0), fill(tmp_path / "b", 3, 1)
    with pytest.raises(TrainingError, match=f"a has {count} usable pictures?, expected at least 2"):
        FaceFolders(a, b, TINY_LIGHT, 3, 0)


def test_unusable_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    a, b = fill(tmp_path / "a", 2, 0), fill(tmp_path / "b", 2, 1)
    (a / "broken.jpg").write_bytes(b"not a picture")
    (a / "notes.txt").write_text("no picture")
    cv2.imwrite(str(a / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    cv2.imwrite(str(a / "frame.png"), np.zeros((36, 64, 3), np.uint8))
    source = FaceFolders(a, b, TINY_LIGHT, 3, 0)
    assert source.counts() == {"a": 1, "b": 1}
    assert [line.removeprefix(str(a)) for line in source.left_out] == [
        "/broken.jpg is left out: it cannot be read as a picture",
        "/dot.png is left out: it has 1x1 pixels, expected at least 32x32",
        (
            "/frame.png is left out: it has 64x36 pixels, expected a square aligned face; "
            "make one with 'python -m export extract'"
        ),
    ]
    (a / "00.png").unlink()
    with pytest.raises(TrainingError, match=r"has 1 usable picture,.*broken\.jpg is left out"):
        read_crops(a, 16)


def test_huge_pictures_are_shrunk(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", 1, 0)
    cv2.imwrite(str(folder / "huge.jpg"), np.full((2000, 2000, 3), 77, np.uint8))
    faces = [face.picture for face in read_crops(folder, 64).faces]
    assert [face.shape for face in faces] == [(64, 64, 3)] * 2
    assert faces[1].min() == faces[1].max() == 77


def test_blocks_at_the_end_of_parts_are_held_out() -> None:
    assert held_out_rows(2) == {1}
    assert held_out_rows(20) == {19}
    assert held_out_rows(80) == {38, 39, 78, 79}
    held_out = sorted(held_out_rows(1000))
    assert len(held_out) == 60
    assert held_out[:15] == list(range(235, 250))
    assert held_out[-1] == 999


def test_landmarks_of_the_alignments_file_say_what_counts(tmp_path: Path) -> None:
    a, b = fill(tmp_path / "a", 3, 0), fill(tmp_path / "b", 2, 1)
    points = np.random.default_rng(0).uniform(0.4, 0.6, (478, 2))
    scores = Scores(*[1.0] * len(fields(Scores)))
    names = ("00.png", "02.png", "deleted.png")
    known = [Aligned(name, "clip", 0, 0, 0, (0, 0, 1, 1), points, scores) for name in names]
    write_alignments(a, known)
    cv2.imwrite(str(a / CONTACT_SHEET), np.zeros((64, 64, 3), np.uint8))
    first, second, third = read_crops(a, 64).faces
    assert first.landmarks is not None
    np.testing.assert_allclose(first.landmarks, points, atol=1e-5)
    assert second.landmarks is None
    assert third.landmarks is not None
    own, other = FaceFolders(a, b, TINY_LIGHT, 3, 0).validation(2)
    # A fifth of the picture is a third of what is cut out of it.
    assert 0.05 < (own.region == 255).mean() < 0.12
    assert own.detail.max() > 0
    assert other.region.min() == 255
    (a / FILE_NAME).write_text("{}\n")
    with pytest.raises(ExtractionError, match="line 1 is no alignment"):
        FaceFolders(a, b, TINY_LIGHT, 3, 0)


def test_margin_is_what_extraction_leaves() -> None:
    assert 1 / SPAN == COVERAGE


def test_colors_vary_if_asked(tmp_path: Path) -> None:
    a, b = fill(tmp_path / "a", 2, 0), fill(tmp_path / "b", 2, 1)
    varied = FaceFolders(a, b, TINY_LIGHT, 40, 0, vary_colors=True).draw(0)[0]
    plain = FaceFolders(a, b, TINY_LIGHT, 40, 0).draw(0)[0]
    # One picture: its targets have the same colors however they are turned.
    assert varied.target.mean(axis=(1, 2)).std(axis=0).max() < 12
    assert varied.face.mean(axis=(1, 2)).std(axis=0).min() > 15
    assert plain.face.mean(axis=(1, 2)).std(axis=0).max() < 12
