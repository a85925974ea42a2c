"""Whatever picture, face or answer comes: a defined result with every way of blending.

Every combination of mask, color and blend meets one of the bad inputs, which take turns.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import blend
from engine.blend import BLENDS, Blend, Blender, BlendSettings
from engine.color import TRANSFERS
from engine.face import Face, Image, Matrix, Swap
from engine.masks import SHAPES
from tests.painted_face import landmarks, portrait, smooth_picture, swapped

SIDE = 64
POINTS = landmarks((80.0, 60.0), 90.0, 8.0)
FRAME = portrait(120, 160, POINTS)
NEW = smooth_picture(SIDE, SIDE, seed=1)


@dataclass(frozen=True, slots=True, eq=False)
class Bad:
    """A frame with a face.

    Attributes:
        count: how many faces are to be composited.
        unusable: how many are to be counted as unusable.
        with_its_mask: `count` where the model's mask is asked for, if it differs.
    """

    name: str
    frame: Image
    face: Face
    count: int = 1
    unusable: int = 0
    with_its_mask: int | None = None


def level(value: float) -> NDArray[np.float32]:
    return np.full((SIDE, SIDE), value, np.float32)


def with_mask(name: str, mask: NDArray[np.float32], with_its_mask: int | None = None) -> Bad:
    return Bad(name, FRAME, swapped(POINTS, NEW, mask=mask), with_its_mask=with_its_mask)


def at(name: str, center: tuple[float, float], side: float, count: int = 1) -> Bad:
    return Bad(name, FRAME, swapped(landmarks(center, side, 20.0), NEW, mask=level(1)), count)


def seen_in(name: str, frame: Image, count: int = 1) -> Bad:
    return Bad(name, frame, swapped(POINTS, NEW, mask=level(1)), count)


def answered(name: str, answer: Image, count: int = 1, unusable: int = 0) -> Bad:
    return Bad(name, FRAME, swapped(POINTS, answer, mask=level(1)), count, unusable)


def placed(name: str, matrix: Matrix, unusable: int = 0) -> Bad:
    return Bad(name, FRAME, Face(POINTS, 1, swap=Swap(NEW, None, matrix)), 0, unusable)


DOT = level(0)
DOT[SIDE // 2, SIDE // 2] = 1.0
NOISE = np.random.default_rng(1).integers(0, 256, FRAME.shape, dtype=np.uint8)
CHECKS = np.where(np.indices((SIDE, SIDE)).sum(axis=0)[:, :, None] % 2, [0, 0, 0], [255, 255, 255])
NOWHERE = replace(swapped(POINTS, NEW), landmarks=np.full_like(POINTS, np.nan))
BAD = (
    with_mask("empty mask", level(0), with_its_mask=0),
    with_mask("full mask", level(1)),
    with_mask("one pixel of mask", DOT),
    with_mask("mask of no numbers", level(np.nan)),
    with_mask("endless mask", level(np.inf)),
    with_mask("soft mask", level(0.5)),
    with_mask("noisy mask", np.random.default_rng(2).random((SIDE, SIDE), np.float32)),
    with_mask("mask of 1 px", np.ones((1, 1), np.float32)),
    at("10 px small", (80.0, 60.0), 10.0),
    at("3 px small", (80.0, 60.0), 3.0),
    at("half beyond the left border", (0.0, 60.0), 90.0),
    at("half beyond the lower border", (80.0, 120.0), 90.0),
    at("in a corner", (159.0, 119.0), 90.0),
    at("larger than the frame", (80.0, 60.0), 500.0),
    at("outside of the frame", (-500.0, 60.0), 90.0, count=0),
    seen_in("black frame", np.zeros_like(FRAME)),
    seen_in("blown-out frame", np.full_like(FRAME, 255)),
    seen_in("frame of one color", np.full_like(FRAME, (255, 0, 0))),
    seen_in("noise", NOISE),
    seen_in("frame of 1 px", FRAME[:1, :1], count=0),
    seen_in("frame without pixels", FRAME[:0], count=0),
    answered("answer of one value", np.full_like(NEW, 127), 0, 1),
    answered("answer of one color", np.full_like(NEW, (9, 99, 199))),
    answered("checkered answer", CHECKS.astype(np.uint8)),
    answered("answer of 1 px", NEW[:1, :1], count=0),
    placed("no place", np.full((2, 3), np.nan), unusable=1),
    placed("flat place", np.zeros((2, 3))),
    Bad("landmarks of no numbers", FRAME, NOWHERE, 0, 1),
)
MASKS = (*SHAPES, "hull+skin+occlusion+model")
COLORS = (*TRANSFERS, "lab+light")
CASES = [
    pytest.param(bad, *way, id=f"{'-'.join(way)}, {bad.name}")
    for bad, way in zip(itertools.cycle(BAD), itertools.product(MASKS, COLORS, BLENDS))
]


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """No case pays for compiling."""
    for name, how in itertools.product(COLORS, BLENDS):
        blend.warm_up(BlendSettings(color=name, blend=how))


@pytest.mark.parametrize(("bad", "mask", "transfer", "how"), CASES)
def test_bad_input_has_a_defined_result(bad: Bad, mask: str, transfer: str, how: Blend) -> None:
    blender = Blender(BlendSettings(mask=mask, color=transfer, blend=how))
    count = bad.count
    if "model" in mask and bad.with_its_mask is not None:
        count = bad.with_its_mask
    for age in range(2):
        image = np.array(bad.frame)
        assert blender(image, (replace(bad.face, age=age),)) == count
        assert len(blender.patches) == count
        assert count or np.array_equal(image, bad.frame)
        for patch in blender.patches.values():
            assert np.isfinite(patch.pixels).all()
    assert blender.faces_unusable == 2 * bad.unusable
