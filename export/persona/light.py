"""Light as a small set of directional samples of an environment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.persona.shaders import AMBIENT_LIGHTS, KEY_LIGHTS

Directions = NDArray[np.float64]
"""(N, 3) unit vectors towards the light, x right and y up in the picture, z to the camera."""

GOLDEN_ANGLE = np.pi * (1 + 5**0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Where light comes from; every sample casts shadows.

    Attributes:
        ambient_directions: (AMBIENT_LIGHTS, 3), shaded per vertex.
        ambient_colors: (AMBIENT_LIGHTS, 3) linear RGB, >= 0.
        key_directions: (KEY_LIGHTS, 3), shaded per pixel, with highlights.
        key_colors: (KEY_LIGHTS, 3) linear RGB, >= 0.
    """

    ambient_directions: Directions
    ambient_colors: NDArray[np.float64]
    key_directions: Directions
    key_colors: NDArray[np.float64]

    def scaled(self, gain: float) -> Light:
        """The same light, `gain` times as strong."""
        return Light(
            self.ambient_directions,
            self.ambient_colors * gain,
            self.key_directions,
            self.key_colors * gain,
        )


def sphere(count: int, turn: float = 0.0) -> Directions:
    """(count, 3) directions spread evenly over the sphere (a Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    polar = np.arccos(1 - 2 * index / count)
    azimuth = GOLDEN_ANGLE * index + turn
    return np.stack(
        [np.cos(azimuth) * np.sin(polar), np.cos(polar), np.sin(azimuth) * np.sin(polar)], axis=1
    )


def direction(azimuth_deg: float, elevation_deg: float) -> NDArray[np.float64]:
    """Unit vector; azimuth 0 is the camera, positive to the right of the picture."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    cos = np.cos(elevation)
    return np.array([np.sin(azimuth) * cos, np.sin(elevation), np.cos(azimuth) * cos])


def studio(strength: float = 1.0) -> Light:
    """A calm, flattering light: soft surroundings, a large key light from above left."""
    ambient = sphere(AMBIENT_LIGHTS)
    sky = 0.5 + 0.5 * ambient @ direction(-20, 50)
    keys = [(-38, 32, 0.75), (-30, 40, 0.6), (-46, 25, 0.5), (40, 15, 0.3), (0, 55, 0.3)]
    keys.append((55, 25, 0.2))
    return Light(
        ambient,
        np.outer((0.35 + 0.75 * sky) / AMBIENT_LIGHTS * 1.5, [1.0, 1.0, 1.0]),
        np.array([direction(azimuth, elevation) for azimuth, elevation, _ in keys]),
        np.array([np.multiply(power * 0.55, [1.05, 1.0, 0.94]) for *_, power in keys]),
    ).scaled(strength)


def random_light(rng: np.random.Generator) -> Light:
    """Tinted surroundings and one to three key lights of random size, place and color."""
    ambient = sphere(AMBIENT_LIGHTS, rng.uniform(0, 2 * np.pi))
    sky = rng.uniform(0.25, 1.1) * np.clip(1 + rng.normal(0, 0.08, 3), 0.7, 1.3)
    ground = sky * rng.uniform(0.2, 0.8) * np.clip(1 + rng.normal(0, 0.08, 3), 0.7, 1.3)
    axis = rng.normal(0, 1, 3) * [1.0, 0.6, 1.0] + [0.0, 0.8, 0.3]
    axis /= np.linalg.norm(axis)
    height = (ambient @ axis * 0.5 + 0.5)[:, None]
    ambient_colors = (ground + (sky - ground) * height) / AMBIENT_LIGHTS * 1.6

    directions, colors = [], []
    for number, part in enumerate(np.array_split(np.arange(KEY_LIGHTS), rng.integers(1, 4))):
        center = direction(rng.uniform(-80, 80), rng.uniform(-10, 65))
        spread = rng.uniform(0.05, 0.35)
        warmth = rng.normal(0, 0.08)
        power = rng.uniform(0.15, 1.4) * (1.0 if number == 0 else 0.5)
        color = np.clip([1 + warmth, 1 - 0.1 * abs(warmth), 1 - warmth], 0.6, 1.4)
        samples = center + rng.normal(0, spread, (len(part), 3))
        directions.append(samples / np.linalg.norm(samples, axis=1, keepdims=True))
        colors.append(np.tile(power * color / len(part), (len(part), 1)))
    return Light(ambient, ambient_colors, np.concatenate(directions), np.concatenate(colors))
