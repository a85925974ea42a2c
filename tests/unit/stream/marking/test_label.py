from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.face import Face
from stream.errors import ConfigError
from stream.marking.label import Label
from stream.marking.settings import MarkingSettings
from tests.painted_face import landmarks, smooth_picture

CORNERS = {"bottom left": (0, 1), "bottom right": (1, 1), "top right": (1, 0), "top left": (0, 0)}


def face(center: tuple[float, float], size: float) -> Face:
    return Face(landmarks(center, size), track=0)


def changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    return cv2.boundingRect((before != after).any(axis=2).astype(np.uint8))


def corner(image: np.ndarray, faces: tuple[Face, ...], label: Label) -> str:
    left, top, width, height = changed(image, drawn(image, label, faces))
    place = (
        int(left + width / 2 > image.shape[1] / 2),
        int(top + height / 2 > image.shape[0] / 2),
    )
    return next(name for name, value in CORNERS.items() if value == place)


def drawn(image: np.ndarray, label: Label, faces: tuple[Face, ...] = ()) -> np.ndarray:
    copy = image.copy()
    label(copy, faces)
    return copy


@pytest.mark.parametrize(
    ("size", "gray"),
    [((120, 160), 0), ((120, 160), 255), ((720, 1280), 128), ((2160, 3840), 255), ((640, 360), 0)],
)
def test_it_can_be_read_on_any_picture_of_any_size(size: tuple[int, int], gray: int) -> None:
    image = np.full((*size, 3), gray, np.uint8)
    after = drawn(image, Label("synthetic"))
    left, top, width, height = changed(image[..., :1], after[..., :1])
    plate = after[top : top + height, left : left + width]
    # As bright as paper on nearly black, whatever is below.
    assert plate.max() > 200
    assert plate.min() < 40
    assert height >= 12
    assert width > 3 * height
    assert height < 0.15 * size[0]
    assert left + width < 0.5 * size[1]
    assert top > 0.8 * size[0]


def test_the_words_are_the_users() -> None:
    image = smooth_picture(240, 320)
    assert (
        changed(image, drawn(image, Label("AI")))[2]
        < changed(image, drawn(image, Label("AI, not me")))[2]
    )


def test_a_long_text_fits_into_a_narrow_picture() -> None:
    image = np.full((400, 100, 3), 128, np.uint8)
    left, _, width, _ = changed(image, drawn(image, Label("made by a machine, nobody said it")))
    assert left > 0
    assert left + width < 100


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (8, 8), (300, 3)])
def test_the_smallest_pictures_do_no_harm(size: tuple[int, int]) -> None:
    drawn(np.full((*size, 3), 128, np.uint8), Label("synthetic"))


def test_drawn_again_it_looks_the_same() -> None:
    label, image = Label("synthetic"), smooth_picture(240, 320)
    once = drawn(image, label)
    assert np.array_equal(drawn(once, label), once)


def test_it_makes_way_for_faces_and_stays_where_it_went() -> None:
    label, image = Label("synthetic"), smooth_picture(480, 640)
    assert corner(image, (), label) == "bottom left"
    assert corner(image, (face((60, 440), 120),), label) == "bottom right"
    assert corner(image, (), label) == "bottom right"
    both = (face((60, 440), 120), face((590, 440), 120))
    assert corner(image, both, label) == "top right"
    everywhere = (*both, face((60, 30), 120), face((590, 30), 120))
    assert corner(image, everywhere, label) == "top right"


def test_it_follows_a_change_of_size() -> None:
    label = Label("synthetic")
    small, large = smooth_picture(120, 160), smooth_picture(720, 1280)
    assert changed(small, drawn(small, label))[3] < changed(large, drawn(large, label))[3]


def test_it_is_shown_live_unless_told_otherwise() -> None:
    auto = MarkingSettings()
    assert auto.shows_label(live=True)
    assert not auto.shows_label(live=False)
    assert not MarkingSettings(label="off").shows_label(live=True)
    assert MarkingSettings(label="on").shows_label(live=False)


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "x" * 41])
def test_words_that_cannot_be_shown_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--no-label"):
        MarkingSettings(text=text)
