"""Before and after, for the eye."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.quality.clip import FaceView
from engine.face import Image

_TILE_PX = 480
_ZOOM = 6
_GAP_PX = 6
_HEADER_PX = 22
_OUTLINES = ((0.02, (255, 160, 0)), (0.5, (0, 255, 255)), (0.98, (0, 0, 255)))
_TITLES = (
    "original",
    "swapped",
    "mask: blue 2%, yellow 50%, red 98%",
    f"original x{_ZOOM}",
    f"swapped x{_ZOOM}",
)


def telling(views: list[FaceView]) -> list[tuple[str, FaceView]]:
    """The views worth looking at: an ordinary one and the worst ones.

    Returns:
        At most three, each with the reason why it was chosen.
    """
    usable = [view for view in views if len(view.steps)]
    if not usable:
        return []
    by_color = sorted(usable, key=lambda view: float(np.quantile(view.added, 0.95)))
    by_slope = sorted(usable, key=lambda view: np.nan_to_num(view.steepness[0]))
    found: dict[int, tuple[str, FaceView]] = {}
    for reason, view in (
        ("most dE00 added", by_color[-1]),
        ("steepest seam", by_slope[-1]),
        ("ordinary", by_color[len(by_color) // 2]),
    ):
        found.setdefault(id(view), (reason, view))
    return list(found.values())


def draw(views: list[FaceView]) -> Image | None:
    """One row for each view: original, swapped, mask, and a place of the seam enlarged.

    That place is where the colors of both sides differ most, compared with the original.

    Args:
        views: all of a clip; `telling` chooses.

    Returns:
        (H, W, 3) uint8 BGR, None if there is nothing to show.
    """
    rows = [_row(reason, view) for reason, view in telling(views)]
    return np.concatenate(rows) if rows else None


def save(views: list[FaceView], path: Path) -> bool:
    """Write a clip's sheet as PNG.

    Returns:
        Whether there was anything to show.

    Raises:
        OSError: the file cannot be written.
    """
    sheet = draw(views)
    if sheet is None:
        return False
    encoded, data = cv2.imencode(".png", sheet)
    assert encoded, "an 8-bit BGR picture is always a PNG"
    path.write_bytes(data.tobytes())
    return True


def _row(reason: str, view: FaceView) -> Image:
    outlined = view.before.copy()
    for level, color in _OUTLINES:
        inside = (view.alpha >= level).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(outlined, outlines, -1, color, 1)
    worst = view.stations.at[int(np.argmax(view.added))]
    tiles = [
        *(_fitted(picture) for picture in (view.before, view.after, outlined)),
        *(_enlarged(picture, worst) for picture in (view.before, view.after)),
    ]
    row = np.zeros((_HEADER_PX + _TILE_PX, len(tiles) * (_TILE_PX + _GAP_PX), 3), np.uint8)
    for number, (tile, title) in enumerate(zip(tiles, _TITLES, strict=True)):
        left = number * (_TILE_PX + _GAP_PX)
        row[_HEADER_PX:, left : left + _TILE_PX] = tile
        text = title if number else f"{title}, {view.seconds:.2f} s, {reason}"
        at = (left + 4, _HEADER_PX - 6)
        cv2.putText(row, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return row


def _fitted(picture: Image) -> Image:
    """Into the tile: full size or a whole multiple of it, smaller only where it must be."""
    height, width = picture.shape[:2]
    scale = _TILE_PX / max(height, width)
    scale = float(int(scale)) if scale >= 1.0 else scale
    how = cv2.INTER_NEAREST if scale >= 1.0 else cv2.INTER_AREA
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    resized = cv2.resize(picture, size, interpolation=how)
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    top, left = (_TILE_PX - resized.shape[0]) // 2, (_TILE_PX - resized.shape[1]) // 2
    tile[top : top + resized.shape[0], left : left + resized.shape[1]] = resized
    return tile


def _enlarged(picture: Image, at: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Image:
    side = _TILE_PX // _ZOOM
    around = cv2.getRectSubPix(picture, (side, side), (float(at[0]), float(at[1])))
    size = (_TILE_PX, _TILE_PX)
    return np.asarray(cv2.resize(around, size, interpolation=cv2.INTER_NEAREST), np.uint8)
