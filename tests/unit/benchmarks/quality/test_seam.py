"""The seam's numbers on drawn seams."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from benchmarks.quality.color_difference import ciede2000, to_lab
from benchmarks.quality.seam import Stations, color_steps, signed_distance, steepness
from engine.face import Image, Mask

SIZE = 160


def disk(radius: float = 50.0, feather: float = 1.0) -> Mask:
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    inside = (radius - np.hypot(x, y)) / feather + 0.5
    return np.asarray(np.clip(inside, 0, 1), np.float32)


def mixed(alpha: Mask, new: Image, old: Image) -> Image:
    part = alpha[:, :, None]
    return np.asarray(np.rint(part * new + (1 - part) * old), np.uint8)


def plain(*bgr: int) -> Image:
    return np.full((SIZE, SIZE, 3), bgr, np.uint8)


def test_distance_is_measured_from_where_the_mask_is_a_half() -> None:
    distance = signed_distance(disk())
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    np.testing.assert_allclose(distance, 50 - np.hypot(x, y), atol=1.0)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_mask_without_an_edge_has_no_seam(level: float) -> None:
    mask = np.full((SIZE, SIZE), level, np.float32)
    distance = signed_distance(mask)
    assert math.isnan(steepness(plain(90, 90, 90), distance))
    assert len(Stations.along(mask, distance).at) == 0


def test_the_border_of_the_picture_is_no_seam() -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, SIZE // 2 :] = 1.0
    stations = Stations.along(mask, signed_distance(mask))
    assert len(stations.at) > 40
    assert np.abs(stations.at[:, 0] - (SIZE / 2 - 0.5)).max() <= 1.0


def test_a_hard_edge_is_steep_and_a_soft_one_is_not() -> None:
    new, old = plain(200, 210, 230), plain(90, 100, 120)
    ratios = []
    for feather in (1.0, 60.0):
        alpha = disk(feather=feather)
        ratios.append(steepness(mixed(alpha, new, old), signed_distance(alpha)))
    assert ratios[0] > 5.0
    assert ratios[1] == pytest.approx(1.0, abs=0.15)


def test_texture_alone_is_no_seam() -> None:
    random = np.random.default_rng(1)
    grainy = np.asarray(random.normal(128, 6, (SIZE, SIZE, 3)), np.uint8)
    assert steepness(grainy, signed_distance(disk())) == pytest.approx(1.0, abs=0.1)


def test_color_steps_are_those_of_the_two_sides() -> None:
    new, old = plain(110, 140, 190), plain(100, 120, 170)
    alpha = disk()
    stations = Stations.along(alpha, signed_distance(alpha))
    steps = color_steps(mixed(alpha, new, old), stations)
    assert len(steps) > 100
    colors = to_lab(np.array([[new[0, 0], old[0, 0]]], np.uint8))[0]
    np.testing.assert_allclose(steps, float(ciede2000(colors[0], colors[1])), atol=0.1)
    assert color_steps(old, stations).max() < 1e-3


def test_a_seam_on_one_side_shows_in_the_p95_not_in_the_median() -> None:
    alpha = disk()
    new, old = plain(100, 120, 170), plain(100, 120, 170)
    new[:, 115:] = (60, 80, 130)
    stations = Stations.along(alpha, signed_distance(alpha))
    steps = color_steps(mixed(alpha, new, old), stations)
    assert np.median(steps) < 0.1
    assert np.quantile(steps, 0.95) > 8.0


def test_stations_lie_across_the_seam() -> None:
    alpha = cv2.GaussianBlur(disk(), (0, 0), 5)
    stations = Stations.along(alpha, signed_distance(alpha))
    center = (SIZE - 1) / 2
    for points, radius in ((stations.inner, 44), (stations.at, 50), (stations.outer, 56)):
        np.testing.assert_allclose(np.hypot(*(points - center).T), radius, atol=1.5)


def test_a_mask_too_thin_for_rings_is_left_out() -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[70:74] = 1.0
    assert len(Stations.along(mask, signed_distance(mask)).at) == 0
