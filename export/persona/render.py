"""A headless renderer for heads, on EGL: software (llvmpipe) or a graphics card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import moderngl
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from engine.face import Image
from export.persona import shaders
from export.persona.light import Directions, Light
from export.persona.rig import Mesh
from export.persona.scene import Material, Part, Surface, Texture, View
from export.persona.subdivide import Subdivision, subdivide

SHADOW_DEPTH = 4.0
SCATTER_PX_AT_512 = (6.0, 2.8, 1.5)


@dataclass(frozen=True, slots=True)
class _Look:
    """Constants of a surface for the shader."""

    wrap: tuple[float, float, float]
    reflectance: float
    roughness: float | None = None
    translucency: float = 0.0
    relief: float = 0.0
    gloss: float | None = None


_LOOKS = {
    Surface.SKIN: _Look((0.22, 0.08, 0.04), 0.03, relief=0.05),
    Surface.EYE: _Look((0.15, 0.15, 0.15), 0.035, roughness=0.1, translucency=0.25),
    # Enamel scatters light far around the lips' shadow.
    Surface.MOUTH: _Look((0.3, 0.27, 0.25), 0.05, roughness=0.25, translucency=0.25),
    Surface.HAIR: _Look((0.3, 0.3, 0.3), 0.03, roughness=0.5),
    Surface.STRAND: _Look((0.3, 0.3, 0.3), 0.03, gloss=0.0),
    Surface.PLAIN: _Look((0.1, 0.1, 0.1), 0.04),
}
_DRAW_ORDER = (
    Surface.HAIR, Surface.PLAIN, Surface.SKIN, Surface.MOUTH, Surface.EYE, Surface.STRAND,
)  # fmt: skip
_SEE_THROUGH = (Surface.EYE, Surface.HAIR, Surface.STRAND)


@dataclass(slots=True, eq=False)
class _Uploaded:
    """A topology on the device."""

    subdivision: Subdivision
    corner_vertex: NDArray[np.intp]
    normal_sum: Any
    vertices: Any
    draw: Any
    cast: Any


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """A finished picture.

    Attributes:
        color: (H, W, 3) float32 BGR, display-referred (gamma encoded), 0..1.
        cover: (H, W, 1) float32, 0 where the background shows.
    """

    color: NDArray[np.float32]
    cover: NDArray[np.float32] = field(repr=False)

    def over(self, background: NDArray[np.float32]) -> Image:
        """Put the head before a background (H, W, 3) float32 BGR 0..1; returns uint8."""
        mixed = self.color * self.cover + background * (1 - self.cover)
        return np.asarray(np.clip(mixed * 255 + 0.5, 0, 255), np.uint8)


class Renderer:
    """Draws heads of one picture size; not safe to share between threads.

    Args:
        width: in pixels.
        height: in pixels.
        tile: side of each light's shadow map in pixels.
        reach: shadows are cast within this distance of the pivot, in decimeters.
    """

    def __init__(self, width: int, height: int, tile: int = 256, reach: float = 2.0) -> None:
        self.width, self.height = width, height
        self._tile, self._reach = tile, reach
        headless: dict[str, Any] = {"backend": "egl"}
        self._context: Any = moderngl.create_context(standalone=True, **headless)
        self._shade: Any = self._context.program(
            vertex_shader=shaders.VERTEX, fragment_shader=shaders.FRAGMENT
        )
        self._cast: Any = self._context.program(
            vertex_shader=shaders.SHADOW_VERTEX, fragment_shader=shaders.SHADOW_FRAGMENT
        )
        self._layers = [
            self._context.texture((width, height), 4, dtype="f2" if layer < 3 else "f1")
            for layer in range(4)
        ]
        self._canvas = self._context.framebuffer(
            self._layers, self._context.depth_renderbuffer((width, height))
        )
        self._atlas = self._context.depth_texture(
            (shaders.ATLAS_COLUMNS * tile, shaders.ATLAS_ROWS * tile)
        )
        self._atlas.compare_func = "<="
        self._atlas.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._shadow_canvas = self._context.framebuffer([], self._atlas)
        self._textures: dict[str, Any] = {}
        self._meshes: dict[tuple[int, int], tuple[Mesh, _Uploaded]] = {}

    def render(self, parts: Sequence[Part], view: View, light: Light) -> Rendering:
        """Draw the parts of one head."""
        fine = [(part, self._pose(part, part.levels)) for part in parts]
        coarse = [(part, self._pose(part, 0)) for part in parts if part.casts_shadow]
        self._cast_shadows(coarse, view, light)
        self._draw(fine, view, light)
        return self._develop(view)

    def _pose(self, part: Part, levels: int) -> _Uploaded:
        key = (id(part.mesh), levels)
        if key not in self._meshes:
            # The mesh is kept as well, so that its id stays taken.
            self._meshes[key] = (part.mesh, self._upload(part.mesh, levels))
        uploaded = self._meshes[key][1]
        points = uploaded.subdivision.apply(part.vertices)
        quads = points[uploaded.subdivision.faces]
        face_normals = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
        normals = uploaded.normal_sum @ face_normals
        normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
        both = np.concatenate([points, normals], axis=1).astype(np.float32)
        uploaded.vertices.write(both[uploaded.corner_vertex].tobytes())
        return uploaded

    def _upload(self, mesh: Mesh, levels: int) -> _Uploaded:
        subdivision = subdivide(mesh, levels)
        faces = subdivision.faces
        triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
        uv = np.concatenate(
            [subdivision.corner_uv[:, [0, 1, 2]], subdivision.corner_uv[:, [0, 2, 3]]]
        )
        whole = triangles[:, 1] != triangles[:, 2]
        triangles, uv = triangles[whole].reshape(-1), uv[whole].reshape(-1, 2)
        # A vertex on a texture seam is drawn once for each of its coordinates.
        keys = np.column_stack([triangles, np.round(uv * 65536).astype(np.intp)])
        _, first, index = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        corner_vertex = triangles[first]
        vertices = self._context.buffer(reserve=len(first) * 24)
        coordinates = self._context.buffer(uv[first].astype(np.float32).tobytes())
        indices = self._context.buffer(index.reshape(-1).astype(np.int32).tobytes())
        return _Uploaded(
            subdivision,
            corner_vertex,
            _vertex_from_faces(faces, int(subdivision.matrix.shape[0])),
            vertices,
            self._context.vertex_array(
                self._shade,
                [(vertices, "3f 3f", "position", "normal"), (coordinates, "2f", "coordinate")],
                indices,
            ),
            self._context.vertex_array(
                self._cast,
                [(vertices, "3f 3x4", "position"), (coordinates, "2f", "coordinate")],
                indices,
            ),
        )

    def _bind(self, texture: Texture) -> None:
        if texture.name not in self._textures:
            height, width = texture.pixels.shape[:2]
            flipped = np.ascontiguousarray(texture.pixels[::-1])
            uploaded = self._context.texture((width, height), 4, flipped.tobytes())
            uploaded.build_mipmaps()
            uploaded.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            self._textures[texture.name] = uploaded
        self._textures[texture.name].use(0)

    def forget(self, name: str) -> None:
        """Release the texture of that name, if there is one."""
        texture = self._textures.pop(name, None)
        if texture is not None:
            texture.release()

    def _cast_shadows(self, parts: list[tuple[Part, _Uploaded]], view: View, light: Light) -> None:
        context, program, side = self._context, self._cast, self._tile
        self._shadow_canvas.use()
        self._shadow_canvas.viewport = (0, 0, *self._atlas.size)
        self._shadow_canvas.clear(depth=1.0)
        context.enable(moderngl.DEPTH_TEST)
        context.disable(moderngl.BLEND)
        program["turn"].write(_columns(view.turn))
        program["pivot"] = tuple(view.pivot)
        program["albedo"] = 0
        directions = np.concatenate([light.ambient_directions, light.key_directions])
        matrices = [_columns(to_light(towards, self._reach)) for towards in directions]
        for part, uploaded in parts:
            self._bind(part.material.texture)
            masked = part.material.surface in (Surface.EYE, Surface.HAIR)
            program["least_alpha"] = 0.5 if masked else 0.0
            for tile, matrix in enumerate(matrices):
                row, column = divmod(tile, shaders.ATLAS_COLUMNS)
                self._shadow_canvas.viewport = (column * side, row * side, side, side)
                program["to_light"].write(matrix)
                uploaded.cast.render()

    def _draw(self, parts: list[tuple[Part, _Uploaded]], view: View, light: Light) -> None:
        context, program = self._context, self._shade
        self._canvas.use()
        self._canvas.viewport = (0, 0, self.width, self.height)
        self._canvas.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        context.enable(moderngl.BLEND)
        context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        program["camera"].write(_columns(view.camera(self.width / self.height)))
        program["turn"].write(_columns(view.turn))
        program["pivot"] = tuple(view.pivot)
        program["eye"] = (-view.shift[0], -view.shift[1], view.distance)
        for name, directions, colors in (
            ("ambient", light.ambient_directions, light.ambient_colors),
            ("key", light.key_directions, light.key_colors),
        ):
            program[f"{name}_direction"].write(directions.astype(np.float32).tobytes())
            program[f"{name}_color"].write(colors.astype(np.float32).tobytes())
            matrices = b"".join(_columns(to_light(towards, self._reach)) for towards in directions)
            program[f"{name}_to_light"].write(matrices)
        self._atlas.use(1)
        program["atlas"] = 1
        program["albedo"] = 0
        ordered = sorted(parts, key=lambda item: _DRAW_ORDER.index(item[0].material.surface))
        for transparent in (False, True):
            self._canvas.depth_mask = not transparent
            program["transparent_pass"] = int(transparent)
            for part, uploaded in ordered:
                surface = part.material.surface
                if surface in _SEE_THROUGH if transparent else surface != Surface.STRAND:
                    self._set_material(part.material)
                    uploaded.draw.render()
        self._canvas.depth_mask = True

    def _set_material(self, material: Material) -> None:
        program, look = self._shade, _LOOKS[material.surface]
        self._bind(material.texture)
        program["material"] = int(material.surface)
        program["tint"] = material.tint
        program["wrap"] = look.wrap
        program["translucency"] = look.translucency
        program["reflectance"] = look.reflectance
        program["relief"] = look.relief
        program["roughness"] = material.roughness if look.roughness is None else look.roughness
        program["gloss"] = material.gloss if look.gloss is None else look.gloss

    def _develop(self, view: View) -> Rendering:
        """Scatter light in the skin, put the layers together, map to display values."""
        irradiance, albedo, specular, cover = (self._read(layer) for layer in self._layers)
        skin = np.ascontiguousarray(cover[..., 2])
        soft = irradiance.copy()
        for channel in range(3):  # the layers are BGR by now, so red comes last
            sigma = SCATTER_PX_AT_512[2 - channel] * 3.2 / view.height * self.height / 512
            light = np.ascontiguousarray(irradiance[..., channel])
            blurred = cv2.GaussianBlur(light * skin, (0, 0), sigma)
            weight = cv2.GaussianBlur(skin, (0, 0), sigma) + 1e-4
            scattered = 0.4 * light + 0.6 * blurred / weight
            soft[..., channel] = light + skin * (scattered - light)
        linear = np.maximum(soft * albedo + specular, 0.0)
        linear /= 1.0 + np.maximum(linear - 0.7, 0.0) * 0.9  # a soft shoulder
        color = np.clip(linear, 0.0, 1.0) ** (1 / 2.2)
        return Rendering(color, np.clip(cover[..., 1:2], 0.0, 1.0))

    def _read(self, layer: Any) -> NDArray[np.float32]:
        """(H, W, 3) float32 BGR, top row first."""
        half = layer.dtype == "f2"
        raw = np.frombuffer(layer.read(), np.float16 if half else np.uint8)
        pixels = raw.reshape(self.height, self.width, 4)[::-1, :, 2::-1].astype(np.float32)
        return np.asarray(np.nan_to_num(pixels) if half else pixels / 255, np.float32)


def to_light(towards: Directions, reach: float) -> NDArray[np.float64]:
    """(4, 4) parallel projection that sees the head from a light."""
    up = [0.0, 1.0, 0.0] if abs(towards[1]) < 0.9 else [1.0, 0.0, 0.0]
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[0, :3] = right / reach
    matrix[1, :3] = np.cross(towards, right) / reach
    matrix[2, :3] = -towards / SHADOW_DEPTH
    return matrix


def _columns(matrix: NDArray[np.float64]) -> bytes:
    """GLSL reads matrices column by column."""
    return matrix.T.astype(np.float32).tobytes()


def _vertex_from_faces(faces: NDArray[np.intp], count: int) -> Any:
    rows, columns = faces.ravel(), np.repeat(np.arange(len(faces)), 4)
    return sp.csr_matrix((np.ones(faces.size, np.float32), (rows, columns)), (count, len(faces)))
