"""Simple spectacle frames: two rims, a bridge and temples, swept from tubes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.persona import textures
from export.persona.rig import Mesh, Vertices
from export.persona.scene import Material, Part, Surface

_RIM_STEPS, _TUBE_STEPS = 28, 6


@dataclass(frozen=True, slots=True)
class Glasses:
    """A frame that fits itself to the eyes.

    Attributes:
        width: half the width of a lens in decimeters.
        height: half its height.
        squareness: exponent of the superellipse: 2 is round, 4 nearly a rectangle.
        thickness: radius of the rims' wire.
        color: RGB 0..255.
    """

    width: float
    height: float
    squareness: float
    thickness: float
    color: tuple[int, int, int]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Glasses:
        """Thin metal or thick plastic, round to rectangular."""
        shade = rng.choice([15, 15, 40, 110, 150])
        red, green, blue = np.clip(shade + rng.normal(0, 14, 3), 5, 200).astype(int)
        width = rng.uniform(0.23, 0.28)
        return cls(
            width,
            width * rng.uniform(0.65, 0.95),
            rng.uniform(2.0, 4.0),
            rng.uniform(0.008, 0.028),
            (int(red), int(green), int(blue)),
        )

    def part(self, eyes: Vertices, base: Vertices) -> Part:
        """The frame in front of fitted eyeballs (K, 3) of a head with vertices (N, 3)."""
        lines = []
        front = eyes[:, 2].max() + 0.16
        for side in (-1.0, 1.0):
            ball = eyes[eyes[:, 0] * side > 0]
            center = (ball.min(axis=0) + ball.max(axis=0)) / 2
            angle = np.linspace(0, 2 * np.pi, _RIM_STEPS)
            power = 2 / self.squareness
            rim = np.zeros((_RIM_STEPS, 3))
            rim[:, 0] = center[0] + self.width * _signed_power(np.cos(angle), power)
            rim[:, 1] = center[1] - 0.03 + self.height * _signed_power(np.sin(angle), power)
            rim[:, 2] = front - 0.12 * ((rim[:, 0] - center[0]) * side / self.width).clip(0)
            lines.append(rim)
            hinge = rim[0 if side > 0 else _RIM_STEPS // 2]
            head_width = np.abs(base[np.abs(base[:, 1] - center[1]) < 0.15, 0]).max()
            ear = np.array([side * (head_width - 0.08), hinge[1] + 0.05, front - 1.4])
            lines.append(hinge + np.linspace(0, 1, _RIM_STEPS)[:, None] ** 0.9 * (ear - hinge))
        inner_left = lines[2][_RIM_STEPS // 2]
        inner_right = lines[0][0]
        bridge = np.linspace(inner_right, inner_left, _RIM_STEPS)
        bridge[:, 1] += 0.06 * np.sin(np.linspace(0, np.pi, _RIM_STEPS))
        lines.append(bridge)
        tubes = np.concatenate([_tube(line, self.thickness) for line in lines])
        texture = textures.plain(f"frame-{self.color}", self.color)
        return Part(_MESH, tubes, Material(Surface.PLAIN, texture, roughness=0.3))


def _signed_power(values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    return np.asarray(np.sign(values) * np.abs(values) ** power)


def _tube(line: Vertices, radius: float) -> Vertices:
    """Sweep a circle along (N, 3) points; returns (N * _TUBE_STEPS, 3)."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    side = np.cross(along, [0.03, 0.05, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, along)
    angle = np.linspace(0, 2 * np.pi, _TUBE_STEPS, endpoint=False)[None, :, None]
    ring = np.cos(angle) * side[:, None] + np.sin(angle) * up[:, None]
    return np.asarray(line[:, None] + radius * ring).reshape(-1, 3)


def _topology(lines: int) -> Mesh:
    faces = []
    for line in range(lines):
        for step in range(_RIM_STEPS - 1):
            for corner in range(_TUBE_STEPS):
                first = (line * _RIM_STEPS + step) * _TUBE_STEPS
                after = (corner + 1) % _TUBE_STEPS
                faces.append(
                    [
                        first + corner,
                        first + after,
                        first + _TUBE_STEPS + after,
                        first + _TUBE_STEPS + corner,
                    ]
                )
    quads = np.array(faces, np.intp)
    count = lines * _RIM_STEPS * _TUBE_STEPS
    return Mesh(np.zeros((count, 3)), np.zeros((1, 2)), quads, np.zeros_like(quads))


_MESH = _topology(lines=5)
