"""The crop in which a tracked face is looked for again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import roi
from engine.align import apply
from tests.painted_face import landmarks, smooth_picture

FRAME = smooth_picture(240, 320)


@pytest.mark.parametrize("angle_deg", [-70.0, 0.0, 33.0])
def test_the_crop_shows_the_face_upright_in_its_middle(angle_deg: float) -> None:
    face = landmarks((150, 110), 90, angle_deg)
    crop, frame_to_crop = roi.upright_crop(FRAME, face, 2.0)
    inside = apply(frame_to_crop, face)
    size = crop.shape[0]
    assert crop.shape == (size, size, 3)
    across = (inside[[263, 291, 454]] - inside[[33, 61, 234]]).sum(axis=0)
    assert across[0] > 0
    assert across[1] == pytest.approx(0, abs=1e-3)
    assert np.allclose((inside.min(axis=0) + inside.max(axis=0)) / 2, size / 2, atol=0.12 * size)
    assert np.ptp(inside, axis=0).max() == pytest.approx(size / 2, rel=0.25)


def test_the_map_says_where_each_pixel_of_the_crop_came_from() -> None:
    face = landmarks((150, 110), 90, 20)
    crop, frame_to_crop = roi.upright_crop(FRAME, face, 2.0)
    there = np.float32([[100, 120], [128, 128], [160, 90]])
    back = roi.to_frame(there, frame_to_crop)
    for (x, y), (u, v) in zip(there.astype(int), back, strict=True):
        expected = cv2.getRectSubPix(FRAME, (1, 1), (float(u), float(v)))[0, 0]
        assert np.abs(crop[y, x].astype(int) - expected.astype(int)).max() <= 2


def test_only_a_very_large_face_gets_a_larger_crop() -> None:
    frame = np.zeros((900, 900, 3), np.uint8)
    sizes = [
        roi.upright_crop(frame, landmarks((450, 450), side), 2.0)[0].shape[0]
        for side in (40, 300, 900, 5000)
    ]
    assert sizes == [256, 256, 512, 512]


def test_landmarks_in_one_point_still_give_a_crop() -> None:
    crop, frame_to_crop = roi.upright_crop(FRAME, np.full((478, 2), 9, np.float32), 2.0)
    assert crop.shape[0] == crop.shape[1]
    assert np.isfinite(frame_to_crop).all()


def test_deviation_is_relative_to_the_face() -> None:
    small, large = landmarks((50, 50), 40), landmarks((50, 50), 400)
    assert roi.deviation(small + 2, small) == pytest.approx(roi.deviation(large + 20, large))
    assert roi.deviation(small, small) == 0


def test_same_place_is_about_distance_and_size() -> None:
    face = landmarks((100, 100), 100)
    assert roi.same_place(face, landmarks((110, 100), 100))
    assert not roi.same_place(face, landmarks((170, 100), 100))
    assert roi.same_place(face, landmarks((170, 100), 100), reach=1.0)
    assert not roi.same_place(face, landmarks((100, 100), 45))
    assert roi.distance(face, landmarks((103, 104), 100)) == pytest.approx(5, abs=1e-3)


def test_yaw_is_positive_when_the_nose_points_to_the_right() -> None:
    face = landmarks((100, 100), 100)
    face[1] = (face[234] + face[454]) / 2
    assert roi.yaw_deg(face) == pytest.approx(0, abs=1e-3)
    width = face[454, 0] - face[234, 0]
    face[1, 0] += 0.2 * width
    assert 10 < roi.yaw_deg(face) < 20
    mirrored = face * np.float32([-1, 1])
    mirrored[[234, 454]] = mirrored[[454, 234]]
    assert roi.yaw_deg(mirrored) == pytest.approx(-roi.yaw_deg(face), abs=1e-3)


def test_yaw_ignores_where_the_face_is_how_large_and_how_tilted() -> None:
    upright = landmarks((100, 100), 100)
    upright[1] += (8, 0)
    moved = upright * 3 @ np.float32([[0.8, 0.6], [-0.6, 0.8]]) + 40
    assert roi.yaw_deg(moved) == pytest.approx(roi.yaw_deg(upright), abs=1e-2)


def test_yaw_of_a_face_without_width_is_zero() -> None:
    assert roi.yaw_deg(np.zeros((478, 2), np.float32)) == 0.0
