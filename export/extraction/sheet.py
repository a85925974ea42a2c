"""The contact sheet: a look at many faces at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from engine.face import Image

CONTACT_SHEET: Final = "contact.png"

_TILE = 128
_COLUMNS = 10
SHEET_FACES: Final = 60
"""At most so many faces are on a sheet."""


def arrange(poses: Sequence[tuple[float, float]]) -> list[int]:
    """Order at least one face: columns by yaw, within a column by pitch.

    Args:
        poses: yaw and pitch of each.

    Returns:
        Their indices, row by row.
    """
    by_yaw = sorted(range(len(poses)), key=lambda i: poses[i][0])
    # Columns that have a face more than others come first, so that rows have no holes.
    stacks = [
        sorted(stack.tolist(), key=lambda i: poses[i][1])
        for stack in np.array_split(np.array(by_yaw, np.intp), min(_COLUMNS, len(poses)))
    ]
    return [stack[row] for row in range(len(stacks[0])) for stack in stacks if row < len(stack)]


def contact_sheet(faces: Sequence[Image]) -> Image:
    """Put at least one square picture, row by row, into a grid.

    Args:
        faces: BGR of any size.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    columns = min(_COLUMNS, len(faces))
    rows = -(-len(faces) // columns)
    sheet = np.full((rows * _TILE, columns * _TILE, 3), 32, np.uint8)
    for place, face in enumerate(faces):
        top, left = place // columns * _TILE, place % columns * _TILE
        tile = cv2.resize(face, (_TILE, _TILE), interpolation=cv2.INTER_AREA)
        sheet[top : top + _TILE, left : left + _TILE] = tile
    return sheet
