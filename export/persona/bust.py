"""What is below the head: a neck that bends and a shirt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from export.persona.people import Person
from export.persona.rig import Mesh, Rig, Vertices
from export.persona.scene import Material, Part, Surface, Texture

# From the pivot behind the bridge of the nose, in decimeters.
_TO_NECK = np.array([0.0, -0.63, -0.32])
_TO_COLLAR = np.array([0.0, -1.03, -0.17])
_COLLAR_RADIUS = 0.95
_HEM_SPAN = 8.0


class Bust:
    """Puts a person's head on shoulders in a plain crew-neck shirt.

    Args:
        rig: of the person; it must reach down to where the picture ends.
        person: who wears it.
        rgb: the shirt's color, 0..255.
    """

    def __init__(self, rig: Rig, person: Person, rgb: tuple[int, int, int]) -> None:
        pivot = person.pivot(rig)
        self._neck = pivot + _TO_NECK
        self._shirt = _shirt(rig, person.neutral, pivot + _TO_COLLAR, rgb)

    def turned(self, parts: Sequence[Part], turn: NDArray[np.float64]) -> list[Part]:
        """The parts with the head turned by a (3, 3) rotation, and the shirt."""
        moved = [
            replace(part, vertices=turn_head(part.vertices, self._neck, turn)) for part in parts
        ]
        return [*moved, self._shirt]


def turn_head(vertices: Vertices, neck: Vertices, turn: NDArray[np.float64]) -> Vertices:
    """Turn a head on its shoulders.

    Args:
        vertices: (N, 3) of any part of the figure.
        neck: (3,) the point about which the head turns.
        turn: (3, 3) rotation of the head; the neck follows in part, the shoulders not.

    Returns:
        (N, 3) vertices, a new array.
    """
    relative = vertices - neck
    # The chin is as low as the neck but moves with the head: what lies in front counts as
    # higher, and the shoulders as lower.
    beside = np.maximum(np.abs(relative[:, 0]) - 0.75, 0.0)
    height = relative[:, 1] + 0.5 * relative[:, 2] - 0.6 * beside
    share = np.clip((height + 0.8) / 0.9, 0.0, 1.0)
    share = share * share * (3 - 2 * share)
    rotation = Rotation.from_matrix(turn).as_rotvec()
    return np.asarray(Rotation.from_rotvec(share[:, None] * rotation).apply(relative) + neck)


def _shirt(rig: Rig, neutral: Vertices, collar: Vertices, rgb: tuple[int, int, int]) -> Part:
    """Fabric grown from the body around the neck's foot; it does not move."""
    faces = rig.base.faces
    distance = np.linalg.norm(neutral - collar, axis=1)
    outside = (distance[faces] > _COLLAR_RADIUS - 0.4).any(axis=1)
    covered = faces[outside & (neutral[faces, 1].mean(axis=1) < collar[1] - 0.02)]
    # The texture coordinate is the distance from the neck, so that the hem, which is an
    # edge in the texture, does not follow the mesh's edges.
    uv = np.column_stack([np.full_like(distance, 0.5), distance / _HEM_SPAN])
    material = Material(Surface.HAIR, _fabric(rgb), gloss=0.1)
    vertices = neutral + 0.05 * _vertex_normals(neutral, covered)
    return Part(Mesh(neutral, uv, covered, covered), vertices, material, levels=1)


def _fabric(rgb: tuple[int, int, int]) -> Texture:
    """A color over distance from the neck: nothing, a darker hem, then plain fabric."""
    rows = 1024
    distance = (np.arange(rows)[::-1] + 0.5) / rows * _HEM_SPAN - _COLLAR_RADIUS
    pixels = np.zeros((rows, 4, 4), np.uint8)
    shade = np.where(distance < 0.09, 0.75, 1.0) * np.where(np.abs(distance - 0.09) < 0.01, 0.8, 1)
    pixels[..., :3] = (shade[:, None, None] * np.array(rgb)).astype(np.uint8)
    pixels[..., 3] = (255 * np.clip(distance / 0.01 + 0.5, 0, 1)).astype(np.uint8)[:, None]
    return Texture(f"fabric-{rgb}", pixels)


def _vertex_normals(vertices: Vertices, faces: NDArray[np.intp]) -> Vertices:
    quads = vertices[faces]
    face_normals = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    normals = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(normals, faces[:, corner], face_normals)
    return np.asarray(normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9))
