"""Lights: unit directions, no negative light, and a fit that finds the bright side."""

from __future__ import annotations

import numpy as np
import pytest

from export.persona.light import Light, direction, random_light, sphere, studio
from export.persona.observe import Observation
from export.persona.relight import fit_light, mesh_normals


@pytest.mark.parametrize("seed", range(5))
def test_random_lights_are_directions_with_strengths(seed: int) -> None:
    light = random_light(np.random.default_rng(seed))
    for directions in (light.ambient_directions, light.key_directions):
        assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(len(directions)))
    assert light.ambient_colors.min() >= 0
    assert light.key_colors.min() >= 0


def test_the_sphere_is_even() -> None:
    assert np.linalg.norm(sphere(50).mean(axis=0)) < 0.05


def test_scaling_changes_strength_only() -> None:
    light = studio()
    assert light.scaled(2.0).key_colors == pytest.approx(2 * light.key_colors)
    assert light.scaled(2.0).key_directions is light.key_directions


def ball(light_from: np.ndarray) -> tuple[np.ndarray, Observation]:
    """A lit ball as a picture, with landmarks on its front."""
    size = 201
    ys, xs = (np.mgrid[0:size, 0:size] - 100) / 95
    z = np.sqrt(np.clip(1 - xs**2 - ys**2, 0, None))
    shade = np.clip(np.stack([xs, -ys, z], axis=2) @ light_from, 0, 1) * 0.5 + 0.1
    image = np.repeat((255 * shade ** (1 / 2.2)).astype(np.uint8)[..., None], 3, axis=2)
    points = sphere(1400)
    points = points[points[:, 2] > 0.25][:478]
    points = np.resize(points, (478, 3)) + np.random.default_rng(0).normal(0, 1e-3, (478, 3))
    landmarks = (points[:, :2] * [95, -95] + 100).astype(np.float32)
    face = Observation(landmarks, (-95 * points[:, 2]).astype(np.float32), {}, np.eye(3))
    return image, face


def mean_direction(light: Light) -> np.ndarray:
    directions = np.concatenate([light.ambient_directions, light.key_directions])
    strengths = np.concatenate([light.ambient_colors, light.key_colors])[:, 0]
    return strengths @ directions / strengths.sum()


def test_normals_of_a_ball_point_outwards() -> None:
    _, face = ball(direction(0, 0))
    points = np.column_stack([face.landmarks[:, 0] - 100, 100 - face.landmarks[:, 1], -face.depth])
    normals = mesh_normals(face)
    cosines = (normals * points / np.linalg.norm(points, axis=1, keepdims=True)).sum(axis=1)
    assert np.median(cosines) > 0.98


@pytest.mark.parametrize("azimuth", [-50, 50])
def test_the_fit_finds_the_bright_side(azimuth: float) -> None:
    image, face = ball(direction(azimuth, 10))
    light = fit_light(image, face, exposure=0.3, albedo=0.4)
    assert np.sign(azimuth) * mean_direction(light)[0] > 0.15


def test_an_even_face_gets_even_light_between_its_own_and_the_wanted_brightness() -> None:
    image, face = ball(direction(0, 0))
    dark = fit_light((image * 0.5).astype(np.uint8), face, exposure=0.3, albedo=0.4)
    bright = fit_light(image, face, exposure=0.3, albedo=0.4)
    assert abs(mean_direction(bright)[0]) < 0.1
    ratio = bright.ambient_colors.sum() / dark.ambient_colors.sum()
    assert ratio == pytest.approx(0.5 ** (-2.2 / 2), rel=0.1)
