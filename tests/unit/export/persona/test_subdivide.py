"""Catmull-Clark against values known from the paper's rules."""

from __future__ import annotations

import numpy as np
import pytest

from export.persona.rig import Mesh
from export.persona.subdivide import subdivide

CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
FACES = np.array(
    [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
)
UV = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)


def cube() -> Mesh:
    return Mesh(CORNERS, UV, FACES, np.tile(np.arange(4), (6, 1)))


def test_a_cube_becomes_24_faces_on_26_vertices() -> None:
    fine = subdivide(cube(), 1)
    points = fine.apply(CORNERS)
    assert points.shape == (26, 3)
    assert fine.faces.shape == (24, 4)
    # corner: (F + 2R + (n - 3) P) / n with n = 3: F = 1/3, R = 2/3, P = 1
    assert points[7] == pytest.approx([5 / 9] * 3, abs=1e-6)
    # edge points: between midpoint (1, 1, 0) and the two face centers
    assert np.sort(np.abs(points[8:20]), axis=1) == pytest.approx(
        np.tile([0, 0.75, 0.75], (12, 1)), abs=1e-6
    )
    assert np.sort(np.abs(points[20:]), axis=1) == pytest.approx(np.tile([0, 0, 1], (6, 1)))


def test_each_new_vertex_is_a_weighted_mean() -> None:
    fine = subdivide(cube(), 2)
    assert np.asarray(fine.matrix.sum(axis=1)).ravel() == pytest.approx(np.ones(98), abs=1e-5)
    assert np.abs(fine.apply(CORNERS + np.array([5.0, 0.0, 0.0])).mean(axis=0)) == pytest.approx(
        [5, 0, 0], abs=1e-4
    )


def test_faces_keep_their_orientation() -> None:
    fine = subdivide(cube(), 1)
    quads = fine.apply(CORNERS)[fine.faces]
    normals = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    coarse = CORNERS[FACES]
    first = np.cross(coarse[:, 2] - coarse[:, 0], coarse[:, 3] - coarse[:, 1])
    sign = np.sign((first * coarse.mean(axis=1)).sum(axis=1))
    assert len(set(sign)) == 1
    assert (np.sign((normals * quads.mean(axis=1)).sum(axis=1)) == sign[0]).all()


def test_borders_follow_a_cubic_spline_and_ignore_the_inside() -> None:
    strip = Mesh(
        np.array([(x, y, 0) for y in (0, 1) for x in (0, 1, 2)], float),
        np.zeros((1, 2)),
        np.array([(0, 1, 4, 3), (1, 2, 5, 4)]),
        np.zeros((2, 4), int),
    )
    points = subdivide(strip, 1).apply(strip.vertices)
    assert points[1] == pytest.approx([1, 0, 0])
    assert points[0] == pytest.approx([1 / 8, 1 / 8, 0])


def test_level_zero_only_drops_unused_vertices() -> None:
    mesh = cube()
    loose = Mesh(np.vstack([[[9, 9, 9]], CORNERS]), UV, FACES + 1, mesh.face_uv)
    kept = subdivide(loose, 0)
    assert kept.apply(loose.vertices) == pytest.approx(CORNERS)
    assert kept.faces.tolist() == FACES.tolist()


def test_texture_coordinates_of_a_face_are_quartered() -> None:
    fine = subdivide(cube(), 1)
    areas = np.ptp(fine.corner_uv[..., 0], axis=1) * np.ptp(fine.corner_uv[..., 1], axis=1)
    assert areas == pytest.approx(np.full(24, 0.25))
