"""Measuring faces that were drawn, and choosing frames."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.quality import sheet
from benchmarks.quality.clip import BURST, ClipRun, chosen
from benchmarks.quality.scene import Scene
from engine.blend import Blender, BlendSettings
from engine.face import Image
from tests.painted_face import landmarks, portrait, smooth_picture, swapped

POINTS = landmarks((160.0, 120.0), 180.0, 5.0)


def scene(frame: Image, new: Image, **changes: object) -> Scene:
    settings = replace(BlendSettings(color="none", sharpen=0.0, grain=0.0), **changes)  # type: ignore[arg-type]
    faces = (swapped(POINTS, new),)
    after, blender = frame.copy(), Blender(settings)
    blender(after, faces)
    return Scene(frame, after, faces, dict(blender.patches), 0.001)


def measured(given: Scene) -> ClipRun:
    run = ClipRun("drawn")
    run.add(given, 0.0)
    return run


def test_a_face_like_the_frame_has_no_seam() -> None:
    skin = np.full((240, 320, 3), (110, 140, 190), np.uint8)
    run = measured(scene(skin, np.full((128, 128, 3), (110, 140, 190), np.uint8)))
    (view,) = run.views
    assert run.swapped_frames == run.found_frames == 1
    assert run.changed_outside == 0
    assert view.steps.max() < 0.2
    assert np.abs(view.offset).max() < 0.5


def test_a_face_of_another_color_has_one() -> None:
    skin = np.full((240, 320, 3), (110, 140, 190), np.uint8)
    new = np.full((128, 128, 3), (80, 100, 140), np.uint8)
    (hard,) = measured(scene(skin, new, blend="feather", feather=0.0)).views
    (soft,) = measured(scene(skin, new, blend="feather", feather=0.2)).views
    assert np.median(hard.steps) > 10.0
    assert hard.steepness[0] > 3.0 > soft.steepness[0]
    assert hard.steps_before.max() < 0.2
    assert hard.offset == pytest.approx([-30, -40, -50], abs=8)


def test_a_pixel_that_changes_outside_is_found() -> None:
    given = scene(smooth_picture(240, 320), smooth_picture(128, 128, 1))
    assert measured(given).changed_outside == 0
    given.after[3, 5] ^= 1
    assert measured(given).changed_outside == 1


def test_a_softer_face_is_less_sharp_than_its_surroundings() -> None:
    grain = np.random.default_rng(2).normal(0, 6, (240, 320, 1))
    frame = np.asarray(np.clip(portrait(240, 320, POINTS) + grain, 0, 255), np.uint8)
    (view,) = measured(scene(frame, np.full((128, 128, 3), (110, 140, 190), np.uint8))).views
    assert view.sharpness[0] < 0.5 * view.sharpness[1]
    assert view.noise[0] < 0.3
    assert view.noise[1] > 0.7


def test_the_sheet_shows_every_view_once() -> None:
    run = measured(scene(portrait(240, 320, POINTS), smooth_picture(128, 128, 1)))
    picture = sheet.draw(run.views)
    assert picture is not None
    assert picture.shape[0] < 600  # one row: the ordinary view is also the worst
    assert sheet.draw([]) is None


@pytest.mark.parametrize(("total", "frames"), [(300, 40), (41, 40), (5, 40), (300, 3), (9, 8)])
def test_frames_are_chosen_in_bursts_over_the_whole_clip(total: int, frames: int) -> None:
    taken = sorted(chosen(total, frames))
    assert 0 < len(taken) <= max(frames, 1)
    assert taken[0] == 0
    assert taken[-1] < total
    gaps = sum(after > before + 1 for before, after in pairwise(taken))
    assert gaps < max(len(taken) / BURST, 1)
    if frames >= 2 * BURST:
        assert taken[-1] == total - 1
