"""Alignment maps for any place, size and turn."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine import align
from engine.align import FULL_FACE
from tests.painted_face import landmarks

places = st.tuples(st.floats(-2000, 4000), st.floats(-2000, 4000))
sides = st.floats(4, 4000)
angles = st.floats(-180, 180)
sizes = st.sampled_from([32, 64, 96, 128, 256])


@given(places, sides, angles, sizes)
def test_align_then_inverse_is_identity(
    center: tuple[float, float], side: float, angle: float, size: int
) -> None:
    points = landmarks(center, side, angle)
    matrix = FULL_FACE.frame_to_crop(points, size)
    back = align.apply(align.invert(matrix), align.apply(matrix, points))
    assert np.abs(back - points).max() < 1e-6 * (1 + np.abs(points).max())


@given(places, sides, angles, sizes, sizes)
def test_every_size_shows_the_same_square(
    center: tuple[float, float], side: float, angle: float, size: int, other: int
) -> None:
    points = landmarks(center, side, angle)
    first, second = (FULL_FACE.frame_to_crop(points, n) for n in (size, other))
    corner, other_corner = (
        align.apply(align.invert(m), np.array([[n - 0.5, n - 0.5]]))
        for m, n in ((first, size), (second, other))
    )
    assert np.abs(corner - other_corner).max() < 1e-3 * side
    assert np.allclose(align.rescale(first, size, other), second, rtol=1e-4, atol=1e-3)


@given(places, sides, angles, st.floats(-180, 180), st.floats(0.2, 5.0))
def test_the_crop_follows_its_face(
    center: tuple[float, float], side: float, angle: float, turn: float, zoom: float
) -> None:
    """A similarity of the picture changes where the crop lies, not what it shows."""
    points = landmarks(center, side, angle).astype(np.float64)
    rad = np.deg2rad(turn)
    linear = zoom * np.array([[np.cos(rad), -np.sin(rad)], [np.sin(rad), np.cos(rad)]])
    moved = points @ linear.T
    before = align.apply(FULL_FACE.frame_to_crop(points, 128), points)
    after = align.apply(FULL_FACE.frame_to_crop(moved, 128), moved)
    assert np.abs(before - after).max() < 1e-2


@given(places, sides, angles)
def test_a_mirrored_face_has_the_mirrored_crop(
    center: tuple[float, float], side: float, angle: float
) -> None:
    points = landmarks(center, side, angle).astype(np.float64)
    template = {
        tuple(p): i for p, i in zip(FULL_FACE.template.round(9), FULL_FACE.indices, strict=True)
    }
    mirrored = points.copy()
    for (x, y), index in template.items():
        mirrored[index] = points[template[round(1.0 - x, 9), y]] * (-1.0, 1.0)
    here, there = (
        align.apply(FULL_FACE.frame_to_crop(p, 128), p)[FULL_FACE.indices]
        for p in (points, mirrored)
    )
    order = [
        list(FULL_FACE.indices).index(template[round(1.0 - x, 9), y])
        for x, y in FULL_FACE.template.round(9)
    ]
    assert np.abs(here[order] * (-1.0, 1.0) + (127.0, 0.0) - there).max() < 1e-2
