"""Blending never fails, never touches what it should not, and keeps equal pictures equal."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import align, color, paste
from engine.align import FULL_FACE
from engine.blend import BLENDS, Blend, Blender, BlendSettings, warm_up
from engine.face import Face, Swap
from tests.painted_face import landmarks, smooth_picture, swapped

FRAME = smooth_picture(120, 160)
NEW = smooth_picture(64, 64, seed=1)
centers = st.tuples(st.floats(-100, 260), st.floats(-100, 220))
sides = st.floats(0.5, 600)
angles = st.floats(-180, 180)
COLORS = ("none", "avg", "lab+light", "lct", "mkl", "idt", "sot+light", "light")
MASKS = ("hull", "skin", "rect", "model", "hull+skin", "hull+model")
settings = st.builds(
    BlendSettings,
    mask=st.sampled_from(MASKS),
    color=st.sampled_from(COLORS),
    blend=st.sampled_from(BLENDS),
    erode=st.floats(0, 0.5),
    feather=st.floats(0, 0.5),
    opacity=st.floats(0, 1),
    smooth_frames=st.floats(0, 50),
)


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """No example pays for compiling, or for loading what was compiled."""
    for how in BLENDS:
        warm_up(BlendSettings(blend=how))
    for name in COLORS:
        color.warm_up(color.parse_transfers(name))
    for mask in MASKS:
        face = swapped(landmarks((80.0, 60.0), 90.0), NEW, mask=np.ones((64, 64), np.float32))
        Blender(BlendSettings(mask=mask))(FRAME.copy(), (face,))


@given(settings, centers, sides, angles)
def test_only_pixels_of_the_crop_change(
    chosen: BlendSettings, center: tuple[float, float], side: float, angle: float
) -> None:
    face = swapped(landmarks(center, side, angle), NEW, mask=np.ones((64, 64), np.float32))
    image = FRAME.copy()
    blended = Blender(chosen)(image, (face,))
    assert blended in {0, 1}
    y, x = np.nonzero((image != FRAME).any(axis=2))
    if not blended:
        assert not y.size
    assert face.swap is not None
    places = align.apply(face.swap.frame_to_crop, np.column_stack([x, y]).astype(float))
    assert (places > -1.5).all()
    assert (places < 64.5).all()


@given(centers, sides, angles)
def test_an_empty_mask_is_identity(center: tuple[float, float], side: float, angle: float) -> None:
    chosen = BlendSettings(mask="model")
    face = swapped(landmarks(center, side, angle), NEW, mask=np.zeros((64, 64), np.float32))
    image = FRAME.copy()
    assert Blender(chosen)(image, (face,)) == 0
    assert np.array_equal(image, FRAME)


@given(settings, st.floats(30, 110), angles)
def test_a_constant_picture_stays_constant(
    chosen: BlendSettings, side: float, angle: float
) -> None:
    """Whatever is measured and corrected, nothing appears out of nothing."""
    frame = np.full((120, 160, 3), (90, 120, 150), np.uint8)
    points = landmarks((80.0, 60.0), side, angle)
    crop = align.crop(frame, FULL_FACE.frame_to_crop(points, 64), 64)
    image = frame.copy()
    Blender(chosen)(image, (swapped(points, crop),))
    assert np.array_equal(image, frame)


@given(
    st.lists(
        st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]), min_size=6, max_size=6
    ),
    st.sampled_from([1, 2, 5, 64]),
    st.floats(-1e5, 1e5),
    st.sampled_from([0, 1, 17]),
    st.sampled_from(BLENDS),
)
def test_any_map_any_landmarks_any_crop_has_a_defined_result(
    numbers: list[float], size: int, stretch: float, age: int, how: Blend
) -> None:
    points = (landmarks((80.0, 60.0), 90.0) * np.float32(stretch)).astype(np.float32)
    matrix = np.array(numbers, np.float64).reshape(2, 3)
    swap = Swap(np.full((size, size, 3), (200, 100, 50), np.uint8), None, matrix)
    image = FRAME.copy()
    blender = Blender(BlendSettings(blend=how))
    assert blender(image, (Face(points, 3, age, 0.0, swap),)) in {0, 1}


@given(st.integers(0, 2**16), st.floats(0, 4), st.integers(0, 1000))
def test_zero_alpha_keeps_every_bit(seed: int, grain: float, noise_seed: int) -> None:
    generator = np.random.default_rng(seed)
    frame = generator.integers(0, 256, (12, 14, 3), dtype=np.uint8)
    alpha = generator.choice(np.array([0.0, 0.4, 1.0], np.float32), (6, 7))
    colors = generator.uniform(0, 255, (6, 7, 3)).astype(np.float32)
    patch = paste.Patch(np.dstack([colors, alpha]), 3, 2)
    result = frame.copy()
    paste.composite(result, patch, grain, noise_seed)
    kept = np.ones((12, 14), bool)
    kept[2:8, 3:10] = alpha == 0.0
    assert np.array_equal(result[kept], frame[kept])


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_opacity_is_more_change(first: float, second: float) -> None:
    plain = BlendSettings(color="none", blend="feather", sharpen=0.0, grain=0.0)
    changes = []
    for opacity in sorted((first, second)):
        image = FRAME.copy()
        face = swapped(landmarks((80.0, 60.0), 80.0), NEW)
        Blender(dataclasses.replace(plain, opacity=opacity))(image, (face,))
        changes.append(np.abs(image.astype(int) - FRAME).sum())
    assert changes[0] <= changes[1] + 500
