"""MediaPipe itself, on a rendered face."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.align import FULL_FACE, apply
from engine.assets import landmark_model
from engine.errors import ModelError
from engine.face import Image
from engine.landmarks import LANDMARK_COUNT, Landmarker
from engine.roi import deviation, face_size, yaw_deg
from engine.track import FaceTracker, TrackSettings

DATA = Path(__file__).parents[1] / "data"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def portrait() -> Image:
    image = cv2.imread(str(DATA / "face.jpg"))
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.fixture
def landmarker() -> Iterator[Landmarker]:
    with Landmarker(landmark_model()) as opened:
        yield opened


class Changed:
    """A landmarker of another version of MediaPipe: its private parts have other names."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def detect(self, picture: Any) -> Any:
        return self._task.detect(picture)

    def close(self) -> None:
        self._task.close()


def test_both_ways_to_the_landmarks_give_the_same(
    landmarker: Landmarker, portrait: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = landmarker.detect(portrait)
    monkeypatch.setattr(landmarker, "_task", Changed(landmarker._task))
    assert len(read) == 1
    np.testing.assert_array_equal(read, landmarker.detect(portrait))


def in_frame(
    portrait: Image, size: int, left: int, top: int, frame: tuple[int, int] = (360, 640)
) -> Image:
    image = np.full((*frame, 3), 90, np.uint8)
    small = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA)
    image[top : top + size, left : left + size] = small
    return image


def test_the_landmarks_of_a_face(landmarker: Landmarker, portrait: Image) -> None:
    (face,) = landmarker.detect(portrait)
    assert face.shape == (LANDMARK_COUNT, 2)
    assert face.dtype == np.float32
    assert 0.4 * portrait.shape[0] < face_size(face) < portrait.shape[0]
    right_eye, left_eye, nose, mouth = face[33], face[263], face[1], face[13]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < mouth[1]
    fitted = apply(FULL_FACE.frame_to_crop(face, 100), face[FULL_FACE.indices])
    assert np.abs(fitted - (FULL_FACE.template * 100 - 0.5)).max() < 8
    assert abs(yaw_deg(face)) < 12


def test_integer_coordinates_are_pixel_centers(landmarker: Landmarker, portrait: Image) -> None:
    # Enlarging maps pixel center x to 3 x + 1; half a pixel off would be a whole one here.
    (small,) = landmarker.detect(cv2.resize(portrait, (300, 300), interpolation=cv2.INTER_CUBIC))
    (large,) = landmarker.detect(cv2.resize(portrait, (900, 900), interpolation=cv2.INTER_CUBIC))
    assert np.abs((large - (3 * small + 1)).mean(axis=0)).max() < 0.5
    (mirrored,) = landmarker.detect(np.ascontiguousarray(portrait[:, ::-1]))
    (plain,) = landmarker.detect(portrait)
    width = portrait.shape[1]
    assert abs((mirrored[1, 0] + plain[1, 0]) - (width - 1)) < 0.02 * width


def test_pictures_without_a_face_have_none(landmarker: Landmarker) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    for image in (noise, np.zeros((1, 1, 3), np.uint8), np.zeros((7, 300, 3), np.uint8)):
        assert landmarker.detect(image) == []


def test_the_picture_is_left_alone(landmarker: Landmarker, portrait: Image) -> None:
    before = portrait.copy()
    view = portrait[::-1][::-1]
    assert len(landmarker.detect(view)) == 1
    assert np.array_equal(portrait, before)


def test_it_may_be_used_and_closed_in_another_thread(portrait: Image) -> None:
    landmarker = Landmarker(landmark_model())
    found: list[int] = []

    def work() -> None:
        found.append(len(landmarker.detect(portrait)))
        landmarker.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    landmarker.close()
    assert found == [1]


def test_a_file_that_is_no_model_is_one_clear_error(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.task"
    damaged.write_bytes(b"no zip archive")
    with pytest.raises(ModelError, match=r"damaged\.task"):
        Landmarker(damaged)
    with pytest.raises(ModelError, match=r"missing\.task"):
        Landmarker(tmp_path / "missing.task")


def test_nothing_is_written_to_the_terminal_but_other_peoples_lines() -> None:
    script = """
import os
from engine.assets import landmark_model
from engine.landmarks import Landmarker, _without_chatter
import numpy as np
with Landmarker(landmark_model()) as landmarker:
    landmarker.detect(np.zeros((64, 64, 3), np.uint8))
with _without_chatter():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nsomething else\\n")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "something else\n"
    assert done.stdout == ""


def test_a_forgotten_close_does_not_keep_the_program_from_ending() -> None:
    script = "from engine.assets import *; from engine.landmarks import *; "
    script += "open_one = Landmarker(landmark_model())"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0


@pytest.mark.parametrize("angle_deg", [0, 60])
def test_a_small_or_tilted_face_is_found_in_its_first_frame_and_followed(
    portrait: Image, angle_deg: int
) -> None:
    matrix = cv2.getRotationMatrix2D((71.5, 71.5), angle_deg, 1.0)
    tilted = cv2.warpAffine(portrait, matrix, (144, 144), borderValue=(90, 90, 90))
    with FaceTracker(landmark_model()) as tracker:
        for frame in range(8):
            image = in_frame(tilted, 72, 400 + 6 * frame, 200)
            (face,) = tracker.update(image, frame * 33_000_000)
            left, top, right, bottom = face.box
            assert face.track == 0
            assert face.age == frame
            assert 400 + 6 * frame - 8 < left < right < 472 + 6 * frame + 8
            assert 192 < top < bottom < 280


def test_tracking_sees_the_same_landmarks_as_the_whole_frame(
    portrait: Image, landmarker: Landmarker
) -> None:
    image = in_frame(portrait, 300, 170, 30)
    (expected,) = landmarker.detect(image)
    with FaceTracker(landmark_model(), TrackSettings(smoothing=None)) as tracker:
        for frame in range(3):
            (face,) = tracker.update(image, frame * 33_000_000)
    assert deviation(face.landmarks, expected) < 0.015
