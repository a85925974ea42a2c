"""The visible mark: a few words on a dark plate in a corner of the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine import paste
from engine.face import Face, Image
from engine.paste import Float, Patch

_TEXT_PER_SIDE = 1 / 36
_SMALLEST_TEXT_PX = 9
_WIDEST = 0.9
_INK, _GROUND = 245.0, 24.0
_WEIGHT = 500  # as in CSS, a little bolder than regular
_FINER = 4  # plates are drawn so much larger, then averaged: sharp edges at any size


class Label:
    """Draws one text into the frames of one stream, in place.

    The text is as high as 1/36 of the picture's smaller side, 9 px at least. It begins in the
    bottom left corner and goes to another one when a face comes there; where faces are in every
    corner it stays. The top left corner comes last: that is where time stamps are. Drawing it
    again changes nothing.
    """

    def __init__(self, text: str) -> None:
        """Take the text; letters that the built-in font lacks show as question marks."""
        self._text = text
        self._shape: tuple[int, int] = (0, 0)
        self._corners: tuple[Patch, ...] = ()
        self._corner = 0

    def __call__(self, image: Image, faces: Sequence[Face] = ()) -> None:
        """Draw the label.

        Args:
            image: (H, W, 3) uint8 BGR, changed in place where the plate is.
            faces: in this picture; kept free where that can be.
        """
        if image.shape[:2] != self._shape:
            self._shape = image.shape[:2]
            self._corners = _corners(plate(self._text, *image.shape[1::-1]), *image.shape[1::-1])
        if not self._corners:
            return
        if any(_covers(self._corners[self._corner], face) for face in faces):
            free = (
                index
                for index, patch in enumerate(self._corners)
                if not any(_covers(patch, face) for face in faces)
            )
            self._corner = next(free, self._corner)
        paste.composite(image, self._corners[self._corner])


def plate(text: str, width: int, height: int) -> Float:
    """The label for a frame of this size.

    Returns:
        (h, w, 4) float32 BGR 0..255 and alpha 0..1, as `engine.paste.Patch` holds it; smaller
        than the frame, and empty if the frame has no room for it.
    """
    size = max(min(width, height) * _TEXT_PER_SIDE, _SMALLEST_TEXT_PX) * _FINER
    font = cv2.FontFace("sans")
    room = _WIDEST * width * _FINER
    wide = _text_width(text, font, round(size))
    if wide + size > room:
        size *= room / (wide + size)
    pixels = round(size)
    if pixels < 1:
        return np.zeros((0, 0, 4), np.float32)
    columns, rows = _text_width(text, font, pixels) + pixels, round(1.7 * pixels)
    ink = np.zeros((rows, columns, 3), np.uint8)
    at = (pixels // 2, round(1.2 * pixels))
    cv2.putText(ink, text, at, (255, 255, 255), font, pixels, _WEIGHT)
    covered = np.asarray(ink[:, :, :1], np.float32) / 255
    # Opaque: drawn twice, as on a picture that is repeated, it looks as drawn once.
    fine = np.ones((rows, columns, 4), np.float32)
    fine[:, :, :3] = _GROUND + (_INK - _GROUND) * covered
    shape = (max(columns // _FINER, 1), max(rows // _FINER, 1))
    return np.asarray(cv2.resize(fine, shape, interpolation=cv2.INTER_AREA), np.float32)


def _text_width(text: str, font: cv2.FontFace, size: int) -> int:
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), font, size, _WEIGHT)
    return width


def _corners(pixels: Float, width: int, height: int) -> tuple[Patch, ...]:
    """The plate in the corners of a frame, the one to begin with first."""
    rows, columns = pixels.shape[:2]
    margin = min(rows // 3, (width - columns) // 2, (height - rows) // 2)
    if not rows or margin < 0:
        return ()
    right, bottom = width - columns - margin, height - rows - margin
    places = ((margin, bottom), (right, bottom), (right, margin), (margin, margin))
    return tuple(Patch(pixels, left, top) for left, top in places)


def _covers(patch: Patch, face: Face) -> bool:
    left, top, right, bottom = face.box
    rows, columns = patch.pixels.shape[:2]
    return (
        left < patch.left + columns
        and right > patch.left
        and top < patch.top + rows
        and bottom > patch.top
    )
