"""Masks in the space of an aligned crop."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import masks, regions
from engine.errors import EngineError
from engine.face import Image, Mask
from engine.face_mask import FaceMask
from engine.skin import skin_mask
from tests.painted_face import UNIT_LANDMARKS, portrait

SIZE = 128
POINTS = UNIT_LANDMARKS * SIZE - 0.5
SKIN = portrait(SIZE, SIZE, POINTS.astype(np.float32))
DARK = portrait(SIZE, SIZE, POINTS.astype(np.float32), skin_bgr=(34, 56, 91))


def build(
    text: str,
    crop: Image = SKIN,
    model: Mask | None = None,
    rule: masks.SkinMethod = "calibrated",
) -> tuple[Mask, bool]:
    shapes = masks.parse_shapes(text)
    return FaceMask()(shapes, crop, POINTS, model, rule=rule, erode=0.02, feather=0.12)


def filled(indices: regions.Indices) -> Mask:
    canvas = np.zeros((SIZE, SIZE), np.float32)
    outline = np.rint(cv2.convexHull(POINTS[indices].astype(np.float32))).astype(np.int32)
    cv2.fillConvexPoly(canvas, outline, 1.0)
    return canvas


@pytest.mark.parametrize("text", [*masks.SHAPES, "hull+skin", "hull+model"])
def test_every_mask_is_float32_from_0_to_1_and_fades_out_before_the_border(text: str) -> None:
    mask, fell_back = build(text, model=np.ones((64, 64), np.float32))
    assert mask.dtype == np.float32
    assert mask.shape == (SIZE, SIZE)
    assert mask.max() == 1.0
    assert mask.min() == 0.0
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()
    assert not fell_back


def test_hull_covers_the_middle_and_never_what_lies_beside_the_face() -> None:
    mask, _ = build("hull")
    hull = cv2.convexHull(POINTS.astype(np.float32))
    aside = 0.06 * SIZE
    left, right = POINTS[:, 0].min() - aside, POINTS[:, 0].max() + aside
    eyes, mouth = POINTS[regions.RIGHT_EYE, 1].mean(), POINTS[regions.LIPS, 1].mean()
    for y in range(SIZE):
        for x in range(SIZE):
            inside = cv2.pointPolygonTest(hull, (float(x), float(y)), True)
            if (inside < -aside and eyes < y < mouth) or not left < x < right:
                assert mask[y, x] == 0.0
            if inside > 0.18 * SIZE:
                assert mask[y, x] == 1.0


def test_raised_brows_and_a_chin_are_covered_in_full_and_not_twice_shown() -> None:
    raised = POINTS.copy()
    raised[regions.BROWS, 1] = POINTS[:, 1].min() + 0.04 * SIZE
    mask, _ = FaceMask()(("hull",), SKIN, raised, None, rule="kovac", erode=0.02, feather=0.12)
    brows = raised[regions.BROWS]
    for x, y in np.rint(brows[np.abs(brows[:, 0] - SIZE / 2) < 0.2 * SIZE]).astype(int):
        assert mask[y, x] > 0.9
    chin = POINTS[np.argmax(POINTS[:, 1])].astype(int)
    assert mask[chin[1] - 2, chin[0]] > 0.7
    assert mask[min(round(chin[1] + 0.15 * SIZE), SIZE - 1), chin[0]] == 0.0


def test_feather_has_the_width_that_was_asked_for() -> None:
    square = np.zeros((SIZE, SIZE), np.float32)
    square[:, 40:] = 1.0
    profile = masks.soften(square, erode=6.0, feather=20.0)[SIZE // 2, 40:80]
    distance = np.arange(40) + 0.5
    assert not profile[distance < 6.0].any()
    assert (profile[distance > 27.0] == 1.0).all()
    assert (np.diff(profile) >= 0).all()
    assert profile[distance > 6.0][:20].mean() == pytest.approx(0.6, abs=0.1)
    assert np.diff(profile).max() < 3.0 / 20.0


def test_mask_moves_smoothly_with_a_part_of_a_pixel() -> None:
    still = masks.soften(masks.hull(POINTS, SIZE), 2.0, 10.0)
    moved = masks.soften(masks.hull(POINTS + np.array([0.25, 0.0]), SIZE), 2.0, 10.0)
    assert 0.0 < np.abs(moved - still).max() < 0.08


def test_a_face_that_leaves_its_crop_still_fades_out() -> None:
    mask, _ = FaceMask()(
        ("hull",), SKIN, POINTS * 2.5 - 80.0, None, rule="kovac", erode=0.0, feather=0.1
    )
    assert mask.max() == 1.0
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()


def test_skin_covers_the_face_without_holes_for_eyes_and_mouth() -> None:
    mask, fell_back = build("skin")
    assert not fell_back
    for part in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.LIPS):
        assert mask[filled(part) > 0].min() == 1.0


def test_skin_keeps_the_eyes_of_a_turned_face_and_not_the_wall_beside_them() -> None:
    turned = POINTS.copy()
    turned[regions.RIGHT_EYE_AND_BROW, 0] -= 0.14 * SIZE
    crop = portrait(SIZE, SIZE, turned.astype(np.float32))
    mask, _ = FaceMask()(("skin",), crop, turned, None, rule="kovac", erode=0.0, feather=0.3)
    assert mask[round(turned[33, 1]), round(turned[regions.RIGHT_EYE, 0].mean())] > 0.1
    hull = cv2.convexHull(turned.astype(np.float32))
    for y in range(SIZE * 3 // 10, SIZE // 2):
        for x in range(SIZE // 2):
            if cv2.pointPolygonTest(hull, (float(x), float(y)), True) < -0.06 * SIZE:
                assert mask[y, x] == 0.0


def test_skin_keeps_the_eyes_of_a_half_covered_face() -> None:
    crop = SKIN.copy()
    crop[: SIZE * 4 // 10] = (20, 20, 20)
    mask, fell_back = build("skin", crop)
    assert not fell_back
    assert mask[filled(regions.LEFT_EYE) > 0].min() > 0.99


def test_skin_leaves_out_what_is_no_skin() -> None:
    crop = SKIN.copy()
    crop[SIZE * 3 // 4 :] = (200, 60, 20)  # A blue scarf over the chin.
    assert build("hull", crop)[0][SIZE * 78 // 100].max() > 0.99
    assert build("skin", crop)[0][SIZE * 78 // 100].max() == 0.0


def test_skin_takes_the_largest_component_only() -> None:
    crop = np.full_like(SKIN, 30)
    cv2.circle(crop, (64, 64), 36, (110, 140, 190), cv2.FILLED)
    cv2.circle(crop, (28, 22), 6, (110, 140, 190), cv2.FILLED)
    found = masks.skin(skin_mask(crop), POINTS)
    assert found is not None
    assert found[64, 64] == 255
    assert found[22, 28] == 0


@pytest.mark.parametrize(
    "crop", [DARK, np.full_like(SKIN, 128), np.zeros_like(SKIN)], ids=["dark", "gray", "black"]
)
def test_no_skin_falls_back_to_the_hull_and_says_so(crop: Image) -> None:
    mask, fell_back = build("skin", crop, rule="kovac")
    assert fell_back
    assert np.array_equal(mask, build("hull")[0])


@pytest.mark.parametrize("rule", masks.SKIN_METHODS)
def test_every_rule_finds_the_skin_of_a_plain_face(rule: masks.SkinMethod) -> None:
    assert build("skin", rule=rule)[1] is False


def test_calibrated_knows_dark_skin() -> None:
    mask, fell_back = build("skin", DARK)
    assert not fell_back
    assert mask[64, 64] == 1.0


def test_the_skins_shape_does_not_jump() -> None:
    crop = SKIN.copy()
    crop[SIZE * 3 // 4 :] = (200, 60, 20)
    follow = FaceMask()
    chin = []
    for picture in (SKIN, crop, crop, crop, crop, crop):
        mask, _ = follow(
            ("skin",), picture, POINTS, None, rule="calibrated", erode=0.02, feather=0.06, rate=0.1
        )
        chin.append(float(mask[SIZE * 78 // 100, 64]))
    assert chin[0] == 1.0
    assert 0.0 < chin[1] < 1.0
    assert chin[-1] < 0.05


def test_the_skins_shape_is_each_frames_own_if_nothing_is_smoothed() -> None:
    crop = SKIN.copy()
    crop[SIZE * 3 // 4 :] = (200, 60, 20)
    follow = FaceMask()
    for picture in (SKIN, crop):
        mask, _ = follow(
            ("skin",), picture, POINTS, None, rule="kovac", erode=0.02, feather=0.12, rate=1.0
        )
    assert np.array_equal(mask, build("skin", crop, rule="kovac")[0])


def test_a_wall_of_the_skins_color_is_left_out_even_in_the_faces_box() -> None:
    found = masks.skin(np.full((SIZE, SIZE), 255, np.uint8), POINTS)
    assert found is not None
    hull = masks.hull(POINTS, SIZE) > 0.5
    assert found[hull].all()
    left, top = POINTS.min(axis=0).astype(int) + 2
    assert found[top, left] == 0
    assert np.count_nonzero(found) < 1.2 * np.count_nonzero(hull)


@pytest.mark.parametrize("text", masks.SHAPES)
def test_erode_and_feather_do_not_count_with_the_classic_feather(text: str) -> None:
    narrow, wide = (
        FaceMask()(
            (text,),
            SKIN,
            POINTS,
            np.ones((64, 64), np.float32),
            rule="calibrated",
            erode=width,
            feather=width,
            profile="smooth_mask",
        )[0]
        for width in (0.0, 0.4)
    )
    assert np.array_equal(narrow, wide)


def test_crops_of_changing_size_begin_anew() -> None:
    follow = FaceMask()
    for size in (128, 64, 100):
        points = UNIT_LANDMARKS * size - 0.5
        crop = portrait(size, size, points.astype(np.float32))
        mask, _ = follow(
            ("skin", "occlusion"), crop, points, None, rule="kovac", erode=0.02, feather=0.1
        )
        assert mask.shape == (size, size)


def test_hull_eyes_leaves_the_forehead_and_keeps_eyes_brows_and_chin() -> None:
    shape = masks.hull_eyes(POINTS, SIZE)
    for part in (regions.RIGHT_BROW, regions.LEFT_EYE, regions.LIPS):
        assert shape[filled(part) > 0].min() > 0.4
    assert not shape[masks.hull(POINTS, SIZE) == 0.0].any()
    inside = set(regions.JAW_TO_BROWS.tolist())
    assert {152, 127, 356} < inside
    assert not {10, 151, 67, 297} & inside


def test_rect_is_the_classic_square_around_brows_and_mouth() -> None:
    shape = masks.rect(SIZE)
    rows, columns = np.flatnonzero(shape[:, 64] > 0.5), np.flatnonzero(shape[64] > 0.5)
    assert len(rows) == pytest.approx(len(columns), abs=1)
    assert columns[0] / SIZE == pytest.approx(0.24, abs=0.03)
    assert rows[0] / SIZE == pytest.approx(0.22, abs=0.03)
    assert rows[-1] / SIZE == pytest.approx(0.76, abs=0.03)


@pytest.mark.parametrize("model", [None, np.full((64, 64), np.nan, np.float32)])
def test_missing_model_mask_falls_back_to_the_hull_and_says_so(model: Mask | None) -> None:
    mask, fell_back = build("model", model=model)
    assert fell_back
    assert np.array_equal(mask, build("hull")[0])


def test_model_mask_of_any_size_cuts_the_hull() -> None:
    for size in (32, 128, 256):
        model = np.zeros((size, size), np.float32)
        model[:, : size // 2] = 1.0
        mask, _ = build("hull+model", model=model)
        assert mask[64, 50] == 1.0
        assert not mask[:, 70:].any()


def test_model_mask_with_nonsense_counts_as_uncovered() -> None:
    model = np.full((64, 64), np.nan, np.float32)
    model[:32] = 7.0
    mask, _ = build("model", model=model)
    assert np.isfinite(mask).all()
    assert mask.max() == 1.0
    assert not mask[70:].any()


def test_a_models_small_holes_are_filled_and_its_specks_dropped() -> None:
    model = np.ones((64, 64), np.float32)
    model[20:25, 20:25] = 0.0
    model[:, 40:46] = 0.0
    found = masks.from_model(model, 64)
    assert found[:, :40].min() == 1.0
    assert not found[:, 40:].any()
    hand = np.ones((64, 64), np.float32)
    hand[20:44, 20:44] = 0.0
    assert np.array_equal(masks.from_model(hand, 64), hand)


@pytest.mark.parametrize(
    "model",
    [
        np.zeros((64, 64), np.float32),
        np.ones((64, 64), np.float32),
        np.full((1, 1), 0.7, np.float32),
        np.full((64, 64), np.nan, np.float32),
        np.full((64, 64), 0.4, np.float32),
        np.eye(64, dtype=np.float32),
    ],
    ids=["empty", "full", "1 px", "nan", "soft", "diagonal"],
)
@pytest.mark.parametrize("text", masks.SHAPES)
def test_odd_model_masks_have_a_defined_result(model: Mask, text: str) -> None:
    mask, _ = build(f"{text}+model", model=model)
    assert np.isfinite(mask).all()
    assert mask.min() >= 0.0
    assert mask.max() <= 1.0


@pytest.mark.parametrize("text", masks.SHAPES)
@pytest.mark.parametrize("scale", [0.0, 0.02, 0.1, 30.0])
@pytest.mark.parametrize("shift", [0.0, 70.0, -4000.0])
def test_odd_landmarks_have_a_defined_result(text: str, scale: float, shift: float) -> None:
    mask, _ = FaceMask()(
        (text,), SKIN, POINTS * scale + shift, None, rule="calibrated", erode=0.02, feather=0.12
    )
    assert np.isfinite(mask).all()
    assert mask.min() >= 0.0
    assert mask.max() <= 1.0


def test_intersection_is_inside_both() -> None:
    both, hull, skin = (build(text)[0] for text in ("hull+skin", "hull", "skin"))
    assert (both <= hull + 1e-6).all()
    assert (both <= skin + 1e-6).all()


@pytest.mark.parametrize("text", ["", "hul", "hull+", "hull,skin"])
def test_unknown_shapes_name_the_known_ones(text: str) -> None:
    with pytest.raises(EngineError, match="hull, hull-eyes, skin, rect, model, occlusion"):
        masks.parse_shapes(text)
