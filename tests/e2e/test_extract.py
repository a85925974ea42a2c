"""Extraction as a user runs it: the program, the real detector, real files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.crop_folder import read_crops
from export.extraction.alignments import read_alignments
from tests.e2e.conftest import DEMO, ROOT

FACE = ROOT / "tests" / "data" / "face.jpg"

Extract = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    """Run `python -m export extract` in an empty folder."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "export", "extract", *map(str, arguments)],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    return run


def test_a_clip_becomes_faces_to_train_on(extract: Extract, tmp_path: Path) -> None:
    done = extract(DEMO, "faces", "--every", 10, "--distance", 0)
    assert done.returncode == 0, done.stderr
    assert "faces/s" in done.stdout
    crops = read_alignments(tmp_path / "faces")
    assert crops is not None
    assert len(crops) >= 10
    assert len(read_crops(tmp_path / "faces", 256).faces) == len(crops)
    for crop in crops:
        eyes = crop.landmarks[[33, 263]].mean(axis=0)
        np.testing.assert_allclose(eyes, [0.5, 0.395], atol=0.03)
    sheet = cv2.imread(str(tmp_path / "faces" / "contact.png"))
    assert sheet.shape[1] == 1280
    again = extract(DEMO, "faces", "--every", 20, "--size", 128, "--max", 4)
    assert again.returncode == 0, again.stderr
    assert "all faces were known from before" in again.stdout
    left = read_alignments(tmp_path / "faces")
    assert left is not None
    assert len(left) == 4
    assert cv2.imread(str(tmp_path / "faces" / left[0].file)).shape == (128, 128, 3)


def test_bad_pictures_among_good_ones_are_counted(extract: Extract, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(FACE, photos / "good.jpg")
    (photos / "bad1.jpg").write_bytes(FACE.read_bytes()[:100])
    (photos / "bad2.png").touch()
    cv2.imwrite(str(photos / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    cv2.imwrite(str(photos / "long.png"), np.zeros((20, 40_000, 3), np.uint8))
    done = extract("photos", "faces")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("bad1.jpg") == 1
    assert "and 1 more that cannot be read" in done.stderr
    assert [path.name for path in (tmp_path / "faces").glob("good*")] == ["good-0.png"]


def test_what_cannot_work_is_said_in_one_line(extract: Extract, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((90, 120, 3), 128, np.uint8))
    (tmp_path / "clip.mp4").touch()
    for arguments, code, message in (
        (("clip.mp4", "faces"), 2, "the file is empty"),
        (("gray.png", "faces"), 1, "no face was found"),
    ):
        done = extract(*arguments)
        assert done.returncode == code, done
        assert message in " ".join(done.stderr.split()), done.stderr
        assert "Traceback" not in done.stderr
