from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.align import apply
from export.errors import ExtractionError
from export.extraction.alignments import FILE_NAME, Aligned, read_alignments, write_alignments
from export.extraction.crops import frame_to_stored
from tests.unit.export.extraction.faked import found


def test_what_is_written_is_read_and_deleted_pictures_are_left_out(tmp_path: Path) -> None:
    crop = Aligned.of(found(3, 1), "b.png", "clip.mp4")
    write_alignments(tmp_path, [crop, replace(crop, file="a.png"), replace(crop, file="gone.png")])
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    read = read_alignments(tmp_path)
    assert read is not None
    assert [each.file for each in read] == ["a.png", "b.png"]
    again = read[1]
    assert (again.source, again.seq, again.pts_ns, again.track) == ("clip.mp4", 3, 120_000_000, 1)
    assert again.scores == crop.scores
    np.testing.assert_allclose(again.box, crop.box, atol=0.01)
    np.testing.assert_allclose(again.landmarks, crop.landmarks, atol=1e-5)


def test_landmarks_come_in_pixels_of_the_crop() -> None:
    face = found()
    expected = apply(frame_to_stored(face.landmarks, 128), face.landmarks)
    pixels = Aligned.of(face, "a.png", "clip.mp4").landmarks_px(128)
    np.testing.assert_allclose(pixels, expected, atol=1e-3)


def test_a_folder_without_the_file_has_no_alignments(tmp_path: Path) -> None:
    assert read_alignments(tmp_path) is None


@pytest.mark.parametrize("change", [("version", "versions"), ("-26", "-27"), ('"box"', '"bow"')])
def test_a_damaged_file_is_named(tmp_path: Path, change: tuple[str, str]) -> None:
    write_alignments(tmp_path, [Aligned.of(found(), "a.png", "clip.mp4")])
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(ExtractionError, match=r"alignments.jsonl: line \d is no alignment"):
        read_alignments(tmp_path)
