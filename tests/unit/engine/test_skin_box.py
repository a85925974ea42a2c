"""A mask from a face's box alone."""

from __future__ import annotations

import numpy as np
import pytest

from engine import masks
from engine.errors import EngineError
from engine.skin_box import skin_in_box
from tests.painted_face import landmarks, portrait

POINTS = landmarks((160.0, 120.0), 170.0)
BOX = (*POINTS.min(axis=0).tolist(), *POINTS.max(axis=0).tolist())


@pytest.mark.parametrize("skin_bgr", [(150, 189, 215), (52, 65, 96)])
def test_box_agrees_with_the_landmarks_hull(skin_bgr: tuple[int, int, int]) -> None:
    image = portrait(240, 320, POINTS, skin_bgr=skin_bgr)
    mask, fell_back = skin_in_box(image, BOX)
    assert not fell_back
    assert mask.shape == image.shape[:2]
    shifted = masks.hull(POINTS + np.array([0.0, 0.0]), 320)[:240]
    both, either = np.minimum(mask, shifted).sum(), np.maximum(mask, shifted).sum()
    assert both / either > 0.9


def test_a_scarf_is_left_out_and_the_eyes_are_not() -> None:
    image = portrait(240, 320, POINTS)
    image[160:] = (200, 60, 20)
    mask, _ = skin_in_box(image, BOX)
    assert mask[172, 160] == 0.0
    assert mask[int(POINTS[33, 1]), int(POINTS[33, 0]) + 5] == 1.0


def test_no_skin_falls_back_to_the_ellipse() -> None:
    mask, fell_back = skin_in_box(np.full((240, 320, 3), (200, 60, 20), np.uint8), BOX, "kovac")
    assert fell_back
    assert mask[120, 160] == 1.0


@pytest.mark.parametrize(
    "box", [(-50.0, -50.0, 30.0, 30.0), (100.0, 100.0, 110.0, 110.0), (-900.0, 0.0, -800.0, 90.0)]
)
def test_boxes_at_the_border_small_and_outside(box: tuple[float, float, float, float]) -> None:
    mask, _ = skin_in_box(portrait(240, 320, POINTS), box)
    assert np.isfinite(mask).all()
    left, top, right, bottom = box
    y, x = np.nonzero(mask)
    if y.size:
        assert left - 1 <= x.min() <= x.max() <= right + 1
        assert top - 1 <= y.min() <= y.max() <= bottom + 1


@pytest.mark.parametrize("box", [(9.0, 9.0, 9.0, 20.0), (0.0, 0.0, float("nan"), 9.0)])
def test_bad_boxes_are_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(EngineError, match="face box is"):
        skin_in_box(portrait(240, 320, POINTS), box)
