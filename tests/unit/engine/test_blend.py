"""The whole blend stage on drawn faces."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from engine import align, blend
from engine.align import FULL_FACE
from engine.blend import Blend, Blender, BlendSettings
from engine.errors import EngineError
from engine.face import Face, Image, Landmarks, Swap
from engine.fade import FadeSettings
from tests.painted_face import landmarks, portrait, smooth_picture, swapped

POINTS = landmarks((160.0, 120.0), 170.0, 8.0)
FRAME = portrait(240, 320, POINTS)
NEW = np.full((128, 128, 3), (60, 200, 60), np.uint8)
PLAIN = BlendSettings(color="none", blend="feather", sharpen=0.0, grain=0.0)


def blended(settings: BlendSettings, frame: Image, *faces: Face) -> Image:
    image = frame.copy()
    Blender(settings)(image, faces)
    return image


def flat(level: int) -> Image:
    """A gray picture that is not taken for a failed model's, as one pixel differs."""
    image = np.full((128, 128, 3), level, np.uint8)
    image[0, 0] = level - 1
    return image


def psnr(a: Image, b: Image) -> float:
    error = float(((a.astype(float) - b) ** 2).mean())
    return 99.0 if error == 0.0 else float(10 * np.log10(255**2 / error))


def test_the_face_is_replaced_and_the_rest_is_untouched() -> None:
    image = blended(PLAIN, FRAME, swapped(POINTS, NEW))
    assert (image[120, 160] == (60, 200, 60)).all()
    left, top, right, bottom = swapped(POINTS, NEW).box
    longer, wider = 0.15 * (bottom - top), 0.05 * (right - left)  # at brows and chin
    outside = np.ones(FRAME.shape[:2], bool)
    outside[
        int(top - longer) : int(bottom + longer) + 2, int(left - wider) : int(right + wider) + 2
    ] = False
    assert np.array_equal(image[outside], FRAME[outside])


def test_patches_tell_what_was_put_into_the_frame() -> None:
    image, blender = FRAME.copy(), Blender(PLAIN)
    blender(image, (swapped(POINTS, NEW, track=7),))
    (track, patch), *others = blender.patches.items()
    assert (track, others) == (7, [])
    changed = (patch.region(image) != patch.region(FRAME)).any(axis=2)
    assert not changed[patch.alpha == 0].any()
    assert changed[patch.alpha > 0.5].all()
    blender(image, ())
    assert not blender.patches


@pytest.mark.parametrize(("size", "least"), [(64, 45.0), (128, 50.0), (256, 50.0)])
@pytest.mark.parametrize("side", [90.0, 150.0])
@pytest.mark.parametrize("how", blend.BLENDS)
def test_identity_swap_gives_the_frame_back(
    size: int, least: float, side: float, how: Blend
) -> None:
    frame = smooth_picture(240, 320)
    points = landmarks((150.0, 118.0), side, -20.0)
    crop = align.crop(frame, FULL_FACE.frame_to_crop(points, size), size)
    left, top, right, bottom = (int(v) for v in swapped(points, crop).box)
    part = np.s_[top:bottom, left:right]
    image = blended(BlendSettings(blend=how), frame, swapped(points, crop))
    assert not np.array_equal(image, frame)
    assert psnr(image[part], frame[part]) >= least


@pytest.mark.parametrize("mask", ["hull", "rect", "hull+skin"])
def test_poisson_brings_the_seams_color_to_the_whole_face(mask: str) -> None:
    frame = np.full((240, 320, 3), (110, 140, 190), np.uint8)
    settings = dataclasses.replace(PLAIN, mask=mask)
    swap = np.full((128, 128, 3), (90, 150, 150), np.uint8)
    pasted = blended(settings, frame, swapped(POINTS, swap))
    assert np.abs(pasted[120, 160].astype(int) - swap[0, 0]).max() <= 1
    smooth = blended(dataclasses.replace(settings, blend="poisson"), frame, swapped(POINTS, swap))
    assert np.abs(smooth.astype(int) - frame).max() <= 2


@pytest.mark.parametrize("center", [(160.0, 120.0), (5.0, 5.0), (160.0, 235.0)])
def test_poisson_changes_nothing_outside_of_the_mask(center: tuple[float, float]) -> None:
    points = landmarks(center, 170.0, 30.0)
    right_half = np.zeros((128, 128), np.float32)
    right_half[:, 64:] = 1.0
    face = swapped(points, smooth_picture(128, 128), mask=right_half)
    image = blended(BlendSettings(mask="hull+model", blend="poisson"), FRAME, face)
    y, x = np.nonzero((image != FRAME).any(axis=2))
    assert y.size
    assert face.swap is not None
    places = align.apply(face.swap.frame_to_crop, np.column_stack([x, y]).astype(float))
    assert places[:, 0].min() > 62.0


def test_the_seam_is_smoothed_within_a_track_and_reset_with_a_new_one() -> None:
    settings = dataclasses.replace(PLAIN, blend="poisson", smooth_frames=20.0)
    blender, levels = Blender(settings), []
    for age, level in ((0, 120), (1, 120), (2, 150), (0, 150)):
        image = np.full((240, 320, 3), level, np.uint8)
        blender(image, (swapped(POINTS, flat(100), age=age),))
        levels.append(int(image[120, 160, 0]))
    assert levels[0] == levels[1] == pytest.approx(120, abs=1)
    assert 122 < levels[2] < 145
    assert levels[3] == pytest.approx(150, abs=1)


def test_there_is_no_edge_at_the_seam() -> None:
    frame = np.full((240, 320, 3), 100, np.uint8)
    image = blended(PLAIN, frame, swapped(POINTS, flat(200)))
    gray = image[:, :, 0].astype(int)
    assert gray.max() == 200
    assert max(np.abs(np.diff(gray, axis=0)).max(), np.abs(np.diff(gray, axis=1)).max()) <= 16


@pytest.mark.parametrize("mask", ["hull", "skin", "rect", "model", "hull+skin", "hull+model"])
def test_every_mask_composites(mask: str) -> None:
    covered = np.ones((128, 128), np.float32)
    image = blended(
        dataclasses.replace(PLAIN, mask=mask), FRAME, swapped(POINTS, NEW, mask=covered)
    )
    assert (image[120, 160] == (60, 200, 60)).all()
    assert np.array_equal(image[:10], FRAME[:10])


def test_fallbacks_to_the_hull_are_counted() -> None:
    blender = Blender(dataclasses.replace(PLAIN, mask="skin", skin_rule="kovac"))
    gray = np.full_like(FRAME, 90)
    assert blender(gray, (swapped(POINTS, NEW),)) == 1
    assert blender.mask_fallbacks == 1
    assert (gray[120, 160] == (60, 200, 60)).all()
    blender(FRAME.copy(), (swapped(POINTS, NEW, age=1),))
    assert blender.mask_fallbacks == 1


def test_opacity_scales_the_change() -> None:
    half = blended(dataclasses.replace(PLAIN, opacity=0.5), FRAME, swapped(POINTS, NEW))
    expected = (FRAME[120, 160].astype(int) + np.array([60, 200, 60])) / 2
    assert np.abs(half[120, 160] - expected).max() <= 1
    none = blended(dataclasses.replace(PLAIN, opacity=0.0), FRAME, swapped(POINTS, NEW))
    assert np.array_equal(none, FRAME)


def test_answers_that_are_no_picture_are_left_out_and_counted() -> None:
    blender, image = Blender(), FRAME.copy()
    gray = swapped(POINTS, np.full((64, 64, 3), 127, np.uint8))
    nowhere = face_with(POINTS, np.full((2, 3), np.nan))
    assert blender(image, (gray, nowhere, swapped(POINTS, NEW, track=2))) == 1
    assert blender.faces_unusable == 2
    assert (image != FRAME).any()


def test_multiband_keeps_fine_detail_apart_and_lets_coarse_light_flow() -> None:
    """Across the seam a step of light is a slope, while texture changes over at once."""
    frame = np.full((240, 320, 3), 100, np.uint8)
    texture = np.indices((128, 128)).sum(axis=0) % 2 * 40 + 130
    face = swapped(POINTS, np.repeat(texture[:, :, None], 3, axis=2).astype(np.uint8))
    settings = dataclasses.replace(PLAIN, feather=0.25)
    smooth = blended(dataclasses.replace(settings, blend="multiband"), frame, face)
    plain = blended(settings, frame, face)
    assert np.abs(smooth[110:130, 150:170].mean() - plain[110:130, 150:170].mean()) < 3.0
    assert not np.array_equal(smooth, plain)
    gray = cv2.GaussianBlur(smooth[:, :, 0], (0, 0), 4).astype(int)
    assert max(np.abs(np.diff(gray, axis=0)).max(), np.abs(np.diff(gray, axis=1)).max()) <= 6


def test_sharpness_and_grain_are_measured_in_turn_once_settled() -> None:
    noise = np.random.default_rng(0).normal(0, 1, FRAME.shape)
    blender, track = Blender(), []
    for age in range(12):
        frame = np.clip(FRAME + noise * (1 + age / 4), 0, 255).astype(np.uint8)
        blender(frame, (swapped(POINTS, smooth_picture(128, 128), age=age),))
        track.append((blender._tracks[1].sharpening, blender._tracks[1].grain))
    sharpening, grain = (np.diff([values[i] for values in track[4:]]) != 0.0 for i in (0, 1))
    assert not (sharpening & grain).any()
    assert sharpening.sum() <= 2
    assert grain.any()


def test_faces_without_a_swap_are_left_alone() -> None:
    image = FRAME.copy()
    assert Blender()(image, (Face(POINTS, 1),)) == 0
    assert Blender()(image, ()) == 0
    assert np.array_equal(image, FRAME)


def test_later_faces_lie_on_top_but_are_measured_on_the_original() -> None:
    second = landmarks((190.0, 130.0), 170.0)
    red = np.full((128, 128, 3), (20, 20, 220), np.uint8)
    faces = (swapped(POINTS, NEW, track=1), swapped(second, red, track=2))
    image = blended(PLAIN, FRAME, *faces)
    assert (image[120, 195] == (20, 20, 220)).all()
    alone = blended(BlendSettings(), FRAME, faces[1])
    both = blended(BlendSettings(), FRAME, *faces)
    assert np.array_equal(alone[130, 195], both[130, 195])


def test_the_same_input_gives_the_same_picture() -> None:
    noise = np.random.default_rng(0).normal(0, 3, FRAME.shape)
    frame = np.clip(FRAME + noise, 0, 255).astype(np.uint8)
    faces = (swapped(POINTS, smooth_picture(128, 128)),)
    assert np.array_equal(
        blended(BlendSettings(), frame, *faces), blended(BlendSettings(), frame, *faces)
    )


def test_color_is_smoothed_within_a_track_and_reset_with_a_new_one() -> None:
    settings = BlendSettings(color="avg", blend="feather", smooth_frames=20.0)
    image = FRAME.copy()
    Blender(settings)(image, (swapped(POINTS, NEW),))
    fresh = float(image[115:125, 150:170].mean())

    blender = Blender(settings)
    for age in range(30):
        blender((FRAME // 2).astype(np.uint8), (swapped(POINTS, NEW, age=age),))
    image = FRAME.copy()
    blender(image, (swapped(POINTS, NEW, age=30),))
    smoothed = float(image[115:125, 150:170].mean())
    assert smoothed < fresh - 20

    blender((FRAME // 2).astype(np.uint8), ())
    image = FRAME.copy()
    blender(image, (swapped(POINTS, NEW, age=32),))
    after_gap = float(image[115:125, 150:170].mean())
    assert after_gap == pytest.approx(fresh, abs=1.0)

    image = FRAME.copy()
    blender((FRAME // 2).astype(np.uint8), (swapped(POINTS, NEW, age=33),))
    blender(image, (swapped(POINTS, NEW, age=0),))
    restarted = float(image[115:125, 150:170].mean())
    assert restarted == pytest.approx(fresh, abs=1.0)


def test_only_tracks_of_the_last_frame_are_remembered() -> None:
    blender = Blender()
    for track in range(20):
        blender(FRAME.copy(), (swapped(POINTS, NEW, track=track),))
    assert len(blender._tracks) == 1


def face_with(points: Landmarks, matrix: align.Matrix, image: Image = NEW) -> Face:
    return Face(points, 1, 0, 0.0, Swap(image, None, matrix))


@pytest.mark.parametrize(
    ("face", "count"),
    [
        (face_with(POINTS * np.float32(np.nan), np.eye(2, 3)), 0),
        (face_with(POINTS, np.full((2, 3), np.nan)), 0),
        (face_with(POINTS, np.zeros((2, 3))), 0),
        (swapped(landmarks((-900.0, 40.0), 170.0), NEW), 0),
        (swapped(landmarks((160.0, 120.0), 1e5), NEW), 1),
        (swapped(landmarks((160.0, 120.0), 1.0), NEW), 1),
        (swapped(landmarks((5.0, 5.0), 170.0), NEW), 1),
        (swapped(POINTS, np.zeros((1, 1, 3), np.uint8)), 0),
        (swapped(POINTS, np.zeros((64, 64, 3), np.uint8)), 0),
        (swapped(POINTS, NEW, mask=np.full((128, 128), np.nan, np.float32)), 1),
    ],
    ids=[
        "nan",
        "nan map",
        "zero map",
        "outside",
        "huge",
        "1 px",
        "corner",
        "1 px crop",
        "black",
        "nan mask",
    ],
)
@pytest.mark.parametrize("mask", ["hull", "skin"])
@pytest.mark.parametrize("how", blend.BLENDS)
def test_odd_faces_have_a_defined_result(face: Face, count: int, mask: str, how: Blend) -> None:
    image = FRAME.copy()
    assert Blender(BlendSettings(mask=mask, blend=how))(image, (face,)) == count
    if count == 0:
        assert np.array_equal(image, FRAME)


@pytest.mark.parametrize("shape", [(0, 0, 3), (1, 1, 3), (1, 400, 3), (240, 1, 3)])
@pytest.mark.parametrize("how", blend.BLENDS)
def test_odd_frames_have_a_defined_result(shape: tuple[int, int, int], how: Blend) -> None:
    Blender(BlendSettings(blend=how))(np.full(shape, 99, np.uint8), (swapped(POINTS, NEW),))


def test_only_writable_bgr_pictures_are_taken() -> None:
    locked = FRAME.copy()
    locked.flags.writeable = False
    with pytest.raises(EngineError, match="read-only"):
        Blender()(locked, ())
    with pytest.raises(EngineError, match="uint8 BGR"):
        Blender()(FRAME[:, :, 0], ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": "oval"}, "hull, hull-eyes, skin, rect, model, occlusion"),
        ({"color": "lba"}, "none, avg, lab, lct"),
        ({"blend": "seamless"}, "blend is 'seamless'; expected one of feather, poisson, multiband"),
        ({"feather_profile": "box"}, "ramp, smooth_mask"),
        ({"skin_rule": "hsl"}, "calibrated, kovac, daylight"),
        ({"feather": -0.1}, "feather is -0.1; expected a number from 0 to 0.5"),
        ({"opacity": 1.5}, "0 to 1"),
        ({"grain": float("nan")}, "grain is nan"),
        ({"erode": "0.1"}, "erode is '0.1'; expected a number"),
    ],
)
def test_bad_settings_say_what_is_allowed(change: dict[str, object], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        dataclasses.replace(PLAIN, **change)


def test_warm_up_compiles_what_blending_needs() -> None:
    blend.warm_up()
    blend.warm_up(BlendSettings(blend="poisson"))


def test_settings_are_replaced_without_losing_the_tracks_memory() -> None:
    dark = (FRAME // 2).astype(np.uint8)
    settings = BlendSettings(
        color="avg", blend="feather", smooth_frames=20.0, sharpen=0.0, grain=0.0
    )
    blender = Blender(settings)
    for age in range(20):
        blender(dark.copy(), (swapped(POINTS, NEW, age=age),))
    blender.update(dataclasses.replace(settings, color="mkl", mask="rect"))
    image = FRAME.copy()
    blender(image, (swapped(POINTS, NEW, age=20),))
    fresh = blended(
        dataclasses.replace(settings, color="mkl", mask="rect"), FRAME, swapped(POINTS, NEW)
    )
    middle = np.s_[115:125, 150:170]
    assert image[middle].mean() < fresh[middle].mean() - 20
    hull = blended(settings, FRAME, swapped(POINTS, NEW))
    changed = [np.count_nonzero((picture != FRAME).any(axis=2)) for picture in (image, hull)]
    assert changed[0] > 1.05 * changed[1]


def test_settings_are_read_once_a_frame() -> None:
    """Two faces of one frame look alike even if another thread changes the settings between."""
    blender = Blender(PLAIN)

    class Meddling(Face):
        """Its box is not asked for, but its landmarks are: that is when the settings change."""

        def __getattribute__(self, name: str) -> object:
            if name == "landmarks":
                blender.update(dataclasses.replace(PLAIN, opacity=0.0))
            return super().__getattribute__(name)

    second = swapped(landmarks((60.0, 60.0), 60.0), NEW, track=2)
    first = swapped(POINTS, NEW)
    image = FRAME.copy()
    meddling = Meddling(first.landmarks, 1, 0, 0.0, first.swap)
    assert blender(image, (meddling, second)) == 2
    assert (image[60, 60] == (60, 200, 60)).all()
    assert blender(FRAME.copy(), (second,)) == 0


def test_a_fade_scales_the_change() -> None:
    settings = dataclasses.replace(PLAIN, fade=FadeSettings(yaw_deg=(20.0, 40.0)))
    face = swapped(POINTS, NEW)
    half = blended(settings, FRAME, dataclasses.replace(face, yaw_deg=30.0))
    assert np.array_equal(half, blended(dataclasses.replace(PLAIN, opacity=0.5), FRAME, face))
    assert np.array_equal(blended(settings, FRAME, dataclasses.replace(face, yaw_deg=-50.0)), FRAME)


def test_the_classic_feather_needs_no_landmarks() -> None:
    settings = dataclasses.replace(PLAIN, mask="rect", feather_profile="smooth_mask")
    face = swapped(POINTS, NEW)
    scattered = np.random.default_rng(0).uniform(0, 200, POINTS.shape).astype(np.float32)
    image = blended(settings, FRAME, face)
    assert np.array_equal(
        image, blended(settings, FRAME, dataclasses.replace(face, landmarks=scattered))
    )
    assert not np.array_equal(image, blended(dataclasses.replace(PLAIN, mask="rect"), FRAME, face))
