"""Catmull-Clark subdivision as one sparse matrix.

The topology of a head never changes, only its vertices do. So the subdivision is worked
out once, and each pose costs one sparse product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from export.persona.rig import Indices, Mesh, Vertices


@dataclass(frozen=True, slots=True, eq=False)
class Subdivision:
    """A subdivided topology.

    Attributes:
        used: (K,) vertices of the original mesh that its faces use.
        matrix: (N, K) sparse float32, from used vertices to new ones.
        faces: (F, 4) quads of the new vertices; triangles repeat a corner only at level 0.
        corner_uv: (F, 4, 2) texture coordinates of each corner.
    """

    used: Indices
    matrix: Any
    faces: Indices
    corner_uv: NDArray[np.float64]

    def apply(self, vertices: Vertices) -> NDArray[np.float32]:
        """New positions (N, 3) float32 for (M, 3) vertices of the original mesh."""
        return np.asarray(self.matrix @ vertices[self.used].astype(np.float32))


def subdivide(mesh: Mesh, levels: int) -> Subdivision:
    """Prepare `levels` rounds of Catmull-Clark; 0 only drops unused vertices.

    Source:
        E. Catmull and J. Clark, "Recursively generated B-spline surfaces on arbitrary
        topological meshes", Computer-Aided Design 10(6), 1978. Borders follow cubic
        B-splines; texture coordinates are halved linearly.
    """
    used, compact = np.unique(mesh.faces, return_inverse=True)
    faces = compact.reshape(mesh.faces.shape)
    corner_uv = mesh.uv[mesh.face_uv]
    matrix = sp.identity(len(used), format="csr")
    for _ in range(levels):
        faces, corner_uv, step = _catmull_clark(faces, corner_uv, matrix.shape[0])
        matrix = step @ matrix
    return Subdivision(used, matrix.astype(np.float32).tocsr(), faces, corner_uv)


def _incidence(rows: Indices, columns: Indices, shape: tuple[int, int]) -> Any:
    return sp.csr_matrix((np.ones(rows.size), (rows.ravel(), columns.ravel())), shape=shape)


def _row_mean(matrix: Any) -> Any:
    """Scale each row to sum 1; an empty row stays empty."""
    sums = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12)
    return sp.diags(1.0 / sums) @ matrix


def _catmull_clark(
    faces: Indices, corner_uv: NDArray[np.float64], n_vertices: int
) -> tuple[Indices, NDArray[np.float64], Any]:
    n_faces = len(faces)
    face_ids = np.repeat(np.arange(n_faces), 4)
    sides = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    edges, edge_of_side, uses = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    edge_of_side = edge_of_side.reshape(-1)
    n_edges = len(edges)
    edge_ids = np.repeat(np.arange(n_edges), 2)
    border_edge = uses == 1
    border_vertex = np.zeros(n_vertices, bool)
    border_vertex[edges[border_edge].ravel()] = True

    face_points = _row_mean(_incidence(face_ids, faces, (n_faces, n_vertices)))
    midpoints = _row_mean(_incidence(edge_ids, edges, (n_edges, n_vertices)))
    faces_at_edge = _row_mean(_incidence(edge_of_side, face_ids, (n_edges, n_faces)))
    blend = np.where(border_edge, 1.0, 0.5)
    edge_points = sp.diags(blend) @ midpoints + sp.diags(1.0 - blend) @ faces_at_edge @ face_points

    faces_at_vertex = _incidence(faces, face_ids, (n_vertices, n_faces))
    valence = np.maximum(np.asarray(faces_at_vertex.sum(axis=1)).ravel(), 1.0)
    edges_at_vertex = _row_mean(_incidence(edges, edge_ids, (n_vertices, n_edges)))
    inner = sp.diags(1.0 / valence) @ (
        _row_mean(faces_at_vertex) @ face_points
        + 2.0 * edges_at_vertex @ midpoints
        + sp.diags(valence - 3.0)
    )
    border_ids = np.flatnonzero(border_edge)
    borders = _incidence(edges[border_ids], np.repeat(border_ids, 2), (n_vertices, n_edges))
    border = 0.5 * sp.identity(n_vertices) + 0.5 * _row_mean(borders) @ midpoints
    is_border = border_vertex.astype(np.float64)
    vertex_points = sp.diags(1.0 - is_border) @ inner + sp.diags(is_border) @ border

    step = sp.vstack([vertex_points, edge_points, face_points]).tocsr()
    edge_index = n_vertices + edge_of_side.reshape(n_faces, 4)
    center_index = n_vertices + n_edges + np.arange(n_faces)
    middle_uv = (corner_uv + np.roll(corner_uv, -1, axis=1)) / 2
    center_uv = corner_uv.mean(axis=1)
    quads, quad_uv = [], []
    for corner in range(4):
        before = (corner - 1) % 4
        columns = (faces[:, corner], edge_index[:, corner], center_index, edge_index[:, before])
        quads.append(np.stack(columns, axis=1))
        uv_columns = (
            corner_uv[:, corner],
            middle_uv[:, corner],
            center_uv,
            middle_uv[:, before],
        )
        quad_uv.append(np.stack(uv_columns, axis=1))
    return np.concatenate(quads), np.concatenate(quad_uv), step
