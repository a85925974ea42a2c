"""MakeHuman's base mesh, morph targets and fitted proxies, read from their text files.

Lengths are decimeters, y is up, z points out of the face, x to the figure's left. The
formats are documented by the MakeHuman project; this reader is our own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.persona.errors import AssetError

Vertices = NDArray[np.float64]
"""(N, 3) positions in decimeters."""

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A mesh of quads with one texture coordinate per corner.

    Attributes:
        vertices: (N, 3) rest positions.
        uv: (M, 2) texture coordinates, the origin at the lower left.
        faces: (F, 4) vertex indices; a triangle repeats its last corner.
        face_uv: (F, 4) indices into `uv`, paired with `faces`.
    """

    vertices: Vertices
    uv: NDArray[np.float64]
    faces: Indices
    face_uv: Indices


def load_obj(path: Path, group: str | None = None) -> Mesh:
    """Read vertices, texture coordinates and faces of a Wavefront OBJ file.

    Args:
        path: the file.
        group: keep only the faces of this group; vertices are always all kept, because
            morph targets count through the whole file.

    Raises:
        AssetError: the file is missing or holds no such faces.
    """
    vertices, uv, faces, face_uv = [], [], [], []
    current = ""
    for line in _lines(path):
        match line.split():
            case ["v", x, y, z, *_]:
                vertices.append((float(x), float(y), float(z)))
            case ["vt", u, v, *_]:
                uv.append((float(u), float(v)))
            case ["g", name, *_]:
                current = name
            case ["f", *corners] if group in (None, current):
                pairs = [[*corner.split("/"), "1"][:2] for corner in corners]
                pairs += pairs[-1:] * (4 - len(pairs))
                faces.append([int(vertex) - 1 for vertex, _ in pairs])
                face_uv.append([int(coordinate or 1) - 1 for _, coordinate in pairs])
    if not faces:
        raise AssetError(f"{path}: expected faces in group {group!r}, got none")
    return Mesh(
        np.array(vertices),
        np.array(uv or [(0.0, 0.0)]),
        np.array(faces, np.intp),
        np.array(face_uv, np.intp),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A morph target: how far some vertices of the base mesh move at weight 1.

    Attributes:
        indices: (K,) vertices that move.
        offsets: (K, 3) by how much, in decimeters.
    """

    indices: Indices
    offsets: Vertices


def load_target(path: Path) -> Target:
    """Read a `.target` file: one "index dx dy dz" a line."""
    rows = [line.split() for line in _lines(path) if line.strip() and not line.startswith("#")]
    return Target(
        np.array([int(row[0]) for row in rows], np.intp),
        np.array([[float(value) for value in row[1:4]] for row in rows]).reshape(-1, 3),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """A mesh that follows the base mesh: hair, brows, lashes, eyeballs, teeth, tongue.

    Attributes:
        mesh: its own topology; the rest positions are not used.
        anchors: (N, 3) three base vertices for each proxy vertex.
        weights: (N, 3) their barycentric weights.
        offsets: (N, 3) displacement from the weighted point, before scaling.
        scales: per axis, two base vertices and the distance that means scale 1.
    """

    mesh: Mesh
    anchors: Indices
    weights: Vertices
    offsets: Vertices
    scales: tuple[tuple[int, int, float] | None, ...]

    def fit(self, base: Vertices) -> Vertices:
        """Positions (N, 3) of the proxy's vertices on a morphed base mesh."""
        scale = np.ones(3)
        for axis, reference in enumerate(self.scales):
            if reference is not None:
                start, end, length = reference
                scale[axis] = abs(base[start, axis] - base[end, axis]) / length
        placed = np.einsum("nkd,nk->nd", base[self.anchors], self.weights)
        return np.asarray(placed + self.offsets * scale)


def load_proxy(mhclo: Path, obj: Path) -> Proxy:
    """Read a `.mhclo` fitting file and the mesh that it fits.

    Raises:
        AssetError: a file is missing, or the two do not have the same number of vertices.
    """
    scales: list[tuple[int, int, float] | None] = [None, None, None]
    rows: list[list[float]] = []
    in_vertices = False
    for line in _lines(mhclo):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            axis = "xyz".index(words[0][0])
            scales[axis] = (int(words[1]), int(words[2]), float(words[3]))
        elif words[0] == "verts":
            in_vertices = True
        elif in_vertices and re.fullmatch(r"-?\d+", words[0]):
            numbers = [float(word) for word in words]
            # A row of one number follows one base vertex exactly.
            rows.append(numbers[:9] if len(numbers) > 1 else numbers * 3 + [1.0] + [0.0] * 5)
        elif rows:
            in_vertices = False  # "material" may stand between "verts" and its rows
    mesh = load_obj(obj)
    table = np.array(rows, np.float64).reshape(-1, 9)
    if len(table) != len(mesh.vertices):
        raise AssetError(
            f"{mhclo}: fits {len(table)} vertices, expected {len(mesh.vertices)} as in {obj.name}"
        )
    return Proxy(mesh, table[:, :3].astype(np.intp), table[:, 3:6], table[:, 6:9], tuple(scales))


class Rig:
    """The base mesh with all its morphs, found in one folder of assets.

    Args:
        assets: folder with 3dobjs/, targets/, eyes/, proxies/ and textures/.
        lowest: faces of the body below this height (decimeters) are left out; 5.6 keeps
            head, neck and the top of the shoulders.

    Raises:
        AssetError: the folder does not hold the base mesh.
    """

    def __init__(self, assets: Path, lowest: float = 5.6) -> None:
        self.assets = assets
        base = load_obj(assets / "3dobjs" / "base.obj", "body")
        kept = base.vertices[base.faces, 1].mean(axis=1) > lowest
        self.base = Mesh(base.vertices, base.uv, base.faces[kept], base.face_uv[kept])
        self._targets: dict[str, Target] = {}
        self._proxies: dict[str, Proxy] = {}

    def target(self, name: str) -> Target:
        """The morph target at `targets/<name>.target`, read once."""
        if name not in self._targets:
            self._targets[name] = load_target(self.assets / "targets" / f"{name}.target")
        return self._targets[name]

    def proxy(self, name: str) -> Proxy:
        """The proxy at `proxies/<name>/`, such as "hair/short01", read once."""
        if name not in self._proxies:
            folder = self.assets / ("eyes/high-poly" if name == "eyes" else f"proxies/{name}")
            stem = folder.name
            self._proxies[name] = load_proxy(folder / f"{stem}.mhclo", folder / f"{stem}.obj")
        return self._proxies[name]

    def morph(self, vertices: Vertices, weights: Mapping[str, float]) -> Vertices:
        """Add weighted targets to a copy of (N, 3) base vertices."""
        moved = vertices.copy()
        for name, weight in weights.items():
            if abs(weight) > 1e-3:
                target = self.target(name)
                moved[target.indices] += weight * target.offsets
        return moved

    @cached_property
    def identity_targets(self) -> tuple[tuple[str, ...], ...]:
        """Targets that shape a head; left and right halves of one shape are one entry."""
        found: list[tuple[str, ...]] = []
        for folder in ("head", "forehead", "eyebrows", "nose", "mouth", "chin", "neck"):
            names = sorted(path.stem for path in (self.assets / "targets" / folder).iterdir())
            for name in names:
                # These lean or shift the whole part to one side, or change the age.
                lopsided = re.search(r"trans-(in|out)$|age|angle-(in|out)$", name)
                if folder == "eyebrows" or not lopsided:
                    found.append((f"{folder}/{name}",))
        for folder in ("cheek", "eyes", "ears"):
            for path in sorted((self.assets / "targets" / folder).glob("l-*.target")):
                stem = path.stem[2:]
                found.append((f"{folder}/l-{stem}", f"{folder}/r-{stem}"))
        return tuple(found)

    def eyeballs(self, vertices: Vertices, gaze_deg: tuple[float, float]) -> Vertices:
        """Fit the eyeballs and turn them.

        Args:
            vertices: (N, 3) base mesh.
            gaze_deg: turn to the figure's left, and downwards.

        Returns:
            (K, 3) vertices of the proxy "eyes".
        """
        fitted = self.proxy("eyes").fit(vertices)
        yaw, pitch = np.radians(gaze_deg)
        turn = rotation_y(yaw) @ rotation_x(pitch)
        for side in (fitted[:, 0] > 0, fitted[:, 0] <= 0):
            ball = fitted[side]
            low, high = ball.min(axis=0), ball.max(axis=0)
            center = (low + high) / 2
            # The cornea bulges: the ball's center lies one radius behind its front.
            center[2] = high[2] - (high[1] - low[1]) / 2
            fitted[side] = (ball - center) @ turn.T + center
        return fitted


def rotation_x(angle: float) -> NDArray[np.float64]:
    """(3, 3) rotation about x in radians: positive turns +z (the face) downwards."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])


def rotation_y(angle: float) -> NDArray[np.float64]:
    """(3, 3) rotation about y in radians: positive turns +z (the face) to +x."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def rotation_z(angle: float) -> NDArray[np.float64]:
    """(3, 3) rotation about z in radians: positive tilts the head's top to -x."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def head_rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """(3, 3) head rotation, applied in the order yaw, pitch, roll."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    return rotation_z(roll) @ rotation_x(pitch) @ rotation_y(yaw)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="ignore").splitlines()
    except OSError as error:
        raise AssetError(
            f"cannot read {path}: {error.strerror}; expected a folder of MakeHuman assets, "
            "see export/persona/ORIGIN.md"
        ) from error
