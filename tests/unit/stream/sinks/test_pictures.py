from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.face import Face, Swap
from stream.errors import SinkError
from stream.frame import Frame
from stream.sinks.pictures import SUFFIXES, best_view, save
from stream.sinks.side_by_side import beside
from stream.sinks.yuv import BT601, letterbox, to_yuv


def frame_with(*faces: Face) -> Frame:
    return Frame(np.zeros((64, 96, 3), np.uint8), 0, 0, 0, faces=faces)


def face(size: float, yaw_deg: float = 0.0, *, swapped: bool = True, chin: float = 0.0) -> Face:
    landmarks = np.array([[10, 10], [10 + size, 10 + size + chin]], np.float32)
    frame_to_crop = np.array([[8 / size, 0, 0], [0, 8 / size, 0]])
    swap = Swap(np.zeros((8, 8, 3), np.uint8), None, frame_to_crop) if swapped else None
    return Face(landmarks, track=1, yaw_deg=yaw_deg, swap=swap)


def test_best_view_is_large_frontal_and_swapped() -> None:
    assert best_view(frame_with()) == 0
    assert best_view(frame_with(face(20, swapped=False))) == 0
    assert best_view(frame_with(face(20))) == pytest.approx(400)
    assert best_view(frame_with(face(20), face(30))) == pytest.approx(900)
    assert best_view(frame_with(face(20, yaw_deg=60))) == pytest.approx(100)
    assert best_view(frame_with(face(20, yaw_deg=-120))) == 0


def test_best_view_is_not_the_one_with_the_mouth_wide_open() -> None:
    assert best_view(frame_with(face(20, chin=8))) == best_view(frame_with(face(20)))


def test_beside_keeps_both_pictures_to_the_pixel() -> None:
    random = np.random.default_rng(1)
    image, original = random.integers(0, 255, (2, 6, 8, 3), np.uint8)
    joined = beside(Frame(image, 0, 0, 0, original=original))
    assert joined.shape == (6, 20, 3)
    assert np.array_equal(joined[:, :8], original)
    assert np.array_equal(joined[:, 12:], image)
    assert (joined[:, 8:12] == 255).all()


def test_letterbox_keeps_the_aspect_and_centers() -> None:
    boxed = letterbox(np.full((20, 40, 3), 200, np.uint8), 60, 60)
    assert boxed.shape == (60, 60, 3)
    assert (boxed[15:45] == 200).all()
    assert not boxed[:15].any()
    assert not boxed[45:].any()


def test_odd_picture_is_padded_by_its_edge() -> None:
    image = np.zeros((5, 7, 3), np.uint8)
    image[-1], image[:, -1] = 255, 255
    frame = to_yuv(image, 7, 5, BT601)
    luma = frame.to_ndarray()[:6]
    assert (frame.width, frame.height) == (8, 6)
    assert set(luma[5]) == {235}
    assert set(luma[:, 7]) == {235}
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (6, 6, 6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_is_silent(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    # OpenCV writes a warning for every parameter that a format does not know.
    save(tmp_path / f"a{suffix}", np.zeros((4, 4, 3), np.uint8), 90)
    assert capfd.readouterr() == ("", "")


def test_quality_is_heeded(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    for suffix in (".jpg", ".jpeg", ".webp"):
        sizes = []
        for quality in (20, 90):
            save(tmp_path / f"a{suffix}", noise, quality)
            sizes.append((tmp_path / f"a{suffix}").stat().st_size)
        assert sizes[0] < 0.7 * sizes[1]


def test_picture_too_large_for_its_format_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"\.webp cannot hold a picture of 20000x1; use \.png"):
        save(tmp_path / "wide.webp", np.zeros((1, 20_000, 3), np.uint8), 90)
