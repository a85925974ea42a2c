"""What each setting of the blend stage does to the picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from engine import blend, color, masks
from engine.blend import Blender, BlendSettings
from engine.face import Image
from tests.painted_face import landmarks, portrait, swapped

POINTS = landmarks((160.0, 120.0), 170.0)
FRAME = portrait(240, 320, POINTS)
NEW = np.full((128, 128, 3), (60, 200, 60), np.uint8)
PLAIN = BlendSettings(color="none", blend="feather", sharpen=0.0, grain=0.0)
FACE = np.s_[90:150, 130:190]


def blended(frame: Image, swap: Image = NEW, **changes: object) -> Image:
    image = frame.copy()
    face = swapped(POINTS, swap, mask=np.ones((128, 128), np.float32))
    assert Blender(dataclasses.replace(PLAIN, **changes))(image, (face,)) == 1  # type: ignore[arg-type]
    return image


def noisy(height: int, width: int, blur: float) -> Image:
    noise = np.random.default_rng(0).normal(0.0, 20.0, (height, width, 3))
    return np.clip(cv2.GaussianBlur(noise + 128.0, (0, 0), blur), 0, 255).astype(np.uint8)


def fine(image: Image) -> float:
    part = image[FACE].astype(np.float32)
    return float((part - cv2.GaussianBlur(part, (0, 0), 1.5)).std())


def changed(image: Image) -> int:
    return np.count_nonzero((image != FRAME).any(axis=2))


def test_erode_keeps_the_new_face_inside() -> None:
    areas = [changed(blended(FRAME, erode=erode)) for erode in (0.0, 0.05, 0.1)]
    assert areas[0] > 1.03 * areas[1] > 1.06 * areas[2]


def test_feather_is_the_width_of_the_slope() -> None:
    flat = np.full_like(FRAME, 100)
    steps = []
    for feather in (0.03, 0.1, 0.3):
        row = blended(flat, feather=feather)[120, :, 1].astype(int)
        steps.append(np.abs(np.diff(row)).max())
    assert steps[0] > 2 * steps[1] > 4 * steps[2]


def test_sharpen_follows_the_frames_sharpness_as_far_as_asked() -> None:
    sharp, soft = noisy(240, 320, 0.8), noisy(128, 128, 1.6)
    energies = [fine(blended(sharp, soft, sharpen=sharpen)) for sharpen in (0.0, 0.5, 1.0)]
    assert energies[0] < 0.9 * energies[1] < 0.81 * energies[2]


def test_grain_follows_the_frames_grain_as_far_as_asked() -> None:
    noise = np.random.default_rng(0).normal(0.0, 3.0, FRAME.shape)
    frame = np.clip(FRAME + noise, 0, 255).astype(np.uint8)
    grains = [
        float(blended(frame, grain=grain)[FACE].std(axis=(0, 1)).mean()) for grain in (0, 0.5, 1)
    ]
    assert grains[0] < 0.1
    assert grains[1] == pytest.approx(grains[2] / 2.0, rel=0.15)
    assert grains[2] == pytest.approx(3.0, rel=0.3)


@pytest.mark.parametrize("transfer", [*color.TRANSFERS[1:], "lab+light"])
def test_every_color_brings_a_dark_face_near_to_the_frame(transfer: str) -> None:
    dark = np.full_like(NEW, (50, 80, 90))
    away = [
        np.abs(
            blended(FRAME, dark, color=name)[FACE].mean(axis=(0, 1)) - FRAME[FACE].mean(axis=(0, 1))
        )
        for name in ("none", transfer)
    ]
    assert away[1].sum() < 0.6 * away[0].sum()


@pytest.mark.parametrize("how", blend.BLENDS[1:])
def test_every_blend_is_another_one(how: blend.Blend) -> None:
    assert not np.array_equal(blended(FRAME, blend=how), blended(FRAME))


def test_hull_eyes_and_rect_leave_a_part_of_the_hull_to_the_frame() -> None:
    hull, eyes, rect = (blended(FRAME, mask=name) for name in ("hull", "hull-eyes", "rect"))
    forehead = np.s_[60:64, 150:170]
    assert (hull[forehead] != FRAME[forehead]).all()
    assert np.array_equal(rect[forehead], FRAME[forehead])
    assert changed(rect) < changed(eyes) < changed(hull)


@pytest.mark.parametrize("mask", ["skin", "occlusion"])
def test_hair_on_the_forehead_is_left_in_front(mask: str) -> None:
    hair = FRAME.copy()
    hair[:66] = (20, 22, 25)
    under = np.s_[58:63, 150:170]
    hull, found = (blended(hair, mask=name)[under].astype(int) for name in ("hull", mask))
    assert np.abs(hull - hair[under]).max() > 30
    assert np.abs(found - hair[under]).max() <= 2


def test_the_skin_rule_decides_what_is_skin() -> None:
    dark = portrait(240, 320, POINTS, skin_bgr=(34, 56, 91))
    dark[160:] = (200, 60, 20)  # a scarf
    scarf = np.s_[168:172, 150:170]
    known = blended(dark, mask="skin", skin_rule="calibrated")
    assert np.array_equal(known[scarf], dark[scarf])
    assert (blended(dark, mask="skin", skin_rule="kovac")[scarf] != dark[scarf]).any()


def test_texts_are_taken_apart_only_when_settings_are_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []

    def counted(parse: Callable[[str], tuple[str, ...]]) -> Callable[[str], tuple[str, ...]]:
        def count(text: str) -> tuple[str, ...]:
            parsed.append(text)
            return parse(text)

        return count

    monkeypatch.setattr(masks, "parse_shapes", counted(masks.parse_shapes))
    monkeypatch.setattr(color, "parse_transfers", counted(color.parse_transfers))
    blender = Blender(PLAIN)
    blender.update(dataclasses.replace(PLAIN, mask="rect", color="avg"))
    assert {"rect", "avg"} <= set(parsed)
    parsed.clear()
    for age in range(3):
        assert blender(FRAME.copy(), (swapped(POINTS, NEW, age=age),)) == 1
    assert not parsed
