from __future__ import annotations

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.align import FULL_FACE, apply, crop
from export.errors import ExtractionError
from export.extraction import crops
from tests.painted_face import landmarks, smooth_picture


@pytest.mark.parametrize("angle", [0.0, 25.0])
def test_the_middle_of_a_crop_is_what_the_stream_cuts_out(angle: float) -> None:
    points = landmarks((300.0, 220.0), 200.0, angle)
    image = smooth_picture(480, 640)
    stored = crops.cut(image, points, 256)
    live = crop(image, FULL_FACE.frame_to_crop(points, 160), 160)
    assert stored.shape == (256, 256, 3)
    assert int(cv2.absdiff(stored[48:208, 48:208].copy(), live).max()) <= 2


def test_landmarks_of_a_crop_hold_at_any_size() -> None:
    points = landmarks((300.0, 220.0), 150.0, 10.0)
    share = crops.stored_landmarks(points)
    for size in (64, 256, 300):
        pixels = apply(crops.frame_to_stored(points, size), points)
        np.testing.assert_allclose(share * size - 0.5, pixels, atol=1e-6)
    in_unit_square = (share[FULL_FACE.indices] - 0.5) * crops.SPAN + 0.5
    np.testing.assert_allclose(in_unit_square, FULL_FACE.template, atol=1e-5)


def test_a_huge_picture_is_halved_until_crops_can_be_cut() -> None:
    image = np.zeros((2, 40_000, 3), np.uint8)
    assert crops.fit(image).shape == (1, 10_000, 3)
    small = np.zeros((1, 1, 3), np.uint8)
    assert crops.fit(small) is small


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "face.png"
    path.write_bytes(b"old")

    def full(file: Path, data: bytes) -> int:
        with file.open("wb") as half:
            half.write(data[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExtractionError, match=r"face\.png: cannot be written: No space left"):
        crops.replace_file(path, b"a new one")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
