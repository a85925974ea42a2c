"""What a picture is made of: parts of a head, their materials, and the view of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from export.persona.rig import Mesh, Vertices


class Surface(IntEnum):
    """How a material is drawn; the values are the shader's."""

    SKIN = 0
    EYE = 1
    MOUTH = 2
    HAIR = 3
    STRAND = 4
    PLAIN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """Pixels and the name under which the renderer keeps them.

    Attributes:
        name: two textures with one name must be the same picture.
        pixels: (H, W, 4) uint8 RGBA, top row first.
    """

    name: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """How light meets a part.

    Attributes:
        surface: the kind of thing it is.
        texture: its albedo and coverage.
        tint: factors on the linear albedo, RGB.
        roughness: of the highlights, 0.1 (wet) to 1.
        gloss: factor on the highlights.
    """

    surface: Surface
    texture: Texture
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    roughness: float = 0.45
    gloss: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One mesh of a head, posed.

    Attributes:
        mesh: topology and texture coordinates.
        vertices: (N, 3), in place of those of `mesh`.
        material: what it looks like.
        casts_shadow: whether other parts lie in its shadow.
        levels: rounds of subdivision in the picture; shadows are always cast by level 0.
    """

    mesh: Mesh
    vertices: Vertices
    material: Material
    casts_shadow: bool = True
    levels: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The head in front of the camera.

    Attributes:
        turn: (3, 3) rotation of the head about `pivot`.
        pivot: point of the head in the middle of the picture.
        distance: camera to pivot in decimeters.
        height: what the picture's height shows at the pivot, in decimeters.
        shift: moves the head in the picture: right, up, in decimeters.
    """

    turn: NDArray[np.float64]
    pivot: NDArray[np.float64]
    distance: float = 9.0
    height: float = 3.2
    shift: tuple[float, float] = (0.0, 0.0)

    def camera(self, aspect: float) -> NDArray[np.float64]:
        """(4, 4) projection of turned coordinates; `aspect` is width over height."""
        focal = self.distance / (self.height / 2)
        near, far = self.distance - 4.0, self.distance + 8.0
        depth, offset = (far + near) / (near - far), 2 * far * near / (near - far)
        project = np.array(
            [
                [focal / aspect, 0.0, 0.0, 0.0],
                [0.0, focal, 0.0, 0.0],
                [0.0, 0.0, depth, offset],
                [0.0, 0.0, -1.0, 0.0],
            ]
        )
        place = np.eye(4)
        place[:3, 3] = [*self.shift, -self.distance]
        return np.asarray(project @ place)
