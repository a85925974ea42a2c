"""Where a crop lies, and that every size shows the same place."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from engine import align
from engine.align import FULL_FACE
from engine.face import Image, Matrix
from tests.painted_face import landmarks, smooth_picture


def test_umeyama_recovers_a_known_similarity() -> None:
    source = np.random.default_rng(1).normal(size=(20, 2)) * 50
    turn, scale = np.deg2rad(33), 1.7
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    known = np.column_stack([linear, [12.0, -7.0]])
    assert np.allclose(align.umeyama(source, align.apply(known, source)), known)


def test_umeyama_of_a_mirrored_set_is_no_reflection() -> None:
    source = np.random.default_rng(2).normal(size=(20, 2))
    matrix = align.umeyama(source, source * [-1.0, 1.0])
    assert np.linalg.det(matrix[:, :2]) > 0


def test_umeyama_is_least_squares() -> None:
    generator = np.random.default_rng(3)
    source, target = generator.normal(size=(9, 2)), generator.normal(size=(9, 2))
    best = align.umeyama(source, target)

    def error(matrix: Matrix) -> float:
        return float(((align.apply(matrix, source) - target) ** 2).sum())

    a, b = best[0, 0], best[1, 0]
    for da, db, dx, dy in generator.normal(scale=1e-3, size=(20, 4)):
        moved = np.array([[a + da, -(b + db), best[0, 2] + dx], [b + db, a + da, best[1, 2] + dy]])
        assert error(moved) >= error(best)


def test_umeyama_of_one_repeated_point_is_nan() -> None:
    assert np.isnan(align.umeyama(np.ones((5, 2)), np.eye(5, 2))).all()


def test_template_is_symmetric_and_inside_the_unit_square() -> None:
    mirrored = FULL_FACE.template * [-1, 1] + [1, 0]
    assert {tuple(p) for p in FULL_FACE.template.round(9)} == {tuple(p) for p in mirrored.round(9)}
    assert len(set(FULL_FACE.indices)) == len(FULL_FACE.indices) == 26
    assert FULL_FACE.template.min() > 0
    assert FULL_FACE.template.max() < 1


@pytest.mark.parametrize("size", [64, 128, 256])
def test_unit_square_spans_the_crop_from_edge_to_edge(size: int) -> None:
    points = landmarks((200.0, 150.0), 100.0)
    matrix = FULL_FACE.frame_to_crop(points, size)
    corners = align.apply(matrix, np.array([[150.0, 100.0], [250.0, 200.0]]))
    assert np.allclose(corners, [[-0.5, -0.5], [size - 0.5, size - 0.5]], atol=1e-3)


def test_rescale_equals_aligning_at_the_other_size() -> None:
    points = landmarks((90.0, 80.0), 70.0, 20.0)
    small, large = (FULL_FACE.frame_to_crop(points, size) for size in (64, 256))
    assert np.allclose(align.rescale(small, 64, 256), large, atol=1e-4)


@pytest.mark.parametrize("side", [16, 48, 64, 160])
def test_resized_shows_the_same_place_and_does_not_alias(side: int) -> None:
    x = np.arange(64, dtype=np.float32)
    ramp = np.broadcast_to(x, (64, 64)).copy()
    places = (np.arange(side) + 0.5) * (64 / side) - 0.5
    inner = slice(side // 8, -side // 8)  # at the border the edge pixels repeat
    assert np.allclose(align.resized(ramp, side)[:, inner], places[inner], atol=0.1)
    stripes = np.where(x % 2, np.float32(1), np.float32(0))
    again = align.resized(np.broadcast_to(stripes, (64, 64)).copy(), side)
    assert again.shape == (side, side)
    assert again.mean() == pytest.approx(0.5, abs=0.01)
    if side <= 16:
        assert again.std() < 0.01


def test_crop_of_an_axis_aligned_square_is_that_square() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    matrix = np.array([[1.0, 0.0, -7.0], [0.0, 1.0, -5.0]])
    assert np.array_equal(align.crop(picture, matrix, 32), picture[5:37, 7:39])


def test_crop_shows_the_same_place_at_every_size() -> None:
    picture = smooth_picture(300, 300)
    points = landmarks((150.0, 150.0), 180.0, -15.0)
    crops = [align.crop(picture, FULL_FACE.frame_to_crop(points, n), n) for n in (32, 64, 128)]
    for crop in crops[1:]:
        small = cv2.resize(crop, (32, 32), interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - crops[0]).max() <= 2


def test_crop_of_a_large_face_does_not_alias() -> None:
    stripes = np.zeros((600, 600, 3), np.uint8)
    stripes[:, (np.arange(600) % 4) < 2] = 200
    crop = align.crop(stripes, np.array([[0.11, 0.0, 0.0], [0.0, 0.11, 0.0]]), 64)
    assert np.abs(crop.astype(int) - 100).std() < 10  # 100 without averaging
    assert abs(float(crop.mean()) - 100) < 3


@pytest.mark.parametrize("tilt", [0.0, 25.0])
@pytest.mark.parametrize("center", [(160.0, 120.0), (20.0, 230.0)])
def test_crop_of_a_face_larger_than_the_frame_samples_only_the_frame(
    tilt: float, center: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    matrix = FULL_FACE.frame_to_crop(landmarks(center, 1000.0, tilt), 128)
    around = 750  # so that the whole crop lies in the wider frame
    wider = np.pad(noise, ((around, around), (around, around), (0, 0)), mode="edge")
    wider_to_crop = matrix.copy()
    wider_to_crop[:, 2] -= matrix[:, :2] @ (around, around)
    expected = align.crop(wider, wider_to_crop, 128).astype(int)
    sampled: list[int] = []
    warp = cv2.warpAffine

    def counted(picture: Image, map_: Matrix, size: tuple[int, int], **how: Any) -> object:
        sampled.append(size[0] * size[1])
        return warp(picture, map_, size, **how)

    monkeypatch.setattr(cv2, "warpAffine", counted)
    found = align.crop(noise, matrix, 128).astype(int)
    assert sum(sampled) < 4 * 240 * 320
    shown = align.visible(matrix, 128, noise.shape)
    assert shown is not None
    assert np.abs(found - expected)[shown].max() <= 1
    if tilt == 0.0:  # then what repeats beyond the border is the same, too
        assert np.abs(found - expected).max() <= 1


def test_visible_is_what_no_repeated_edge_pixel_shows() -> None:
    points = landmarks((20.0, 90.0), 80.0, 15.0)
    matrix = FULL_FACE.frame_to_crop(points, 32)
    seen = align.visible(matrix, 32, (100, 120, 3))
    assert seen is not None
    i, j = np.meshgrid(np.arange(32), np.arange(32))
    places = align.apply(align.invert(matrix), np.column_stack([i.ravel(), j.ravel()]))
    expected = ((places >= -0.5) & (places <= (119.5, 99.5))).all(axis=1).reshape(32, 32)
    assert np.array_equal(seen, expected)
    assert 0 < seen.sum() < seen.size
    assert align.visible(FULL_FACE.frame_to_crop(points + 200, 32), 32, (900, 900)) is None


def test_nothing_is_visible_through_a_degenerate_map() -> None:
    seen = align.visible(np.zeros((2, 3)), 8, (100, 120))
    assert seen is not None
    assert not seen.any()


def test_crop_repeats_edge_pixels_outside_the_frame() -> None:
    picture = np.full((20, 20, 3), 77, np.uint8)
    crop = align.crop(picture, np.array([[1.0, 0.0, 500.0], [0.0, 1.0, 500.0]]), 16)
    assert (crop == 77).all()
