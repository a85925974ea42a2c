"""A face's mask from its box alone, for detectors that give no landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from engine import masks
from engine.align import Points, crop
from engine.errors import EngineError
from engine.face import Image, Mask
from engine.skin import skin_mask
from engine.skin_model import SkinModel, box_patch

_GRID = 128
_FACE = (0.5, 0.5, 0.5, 0.5)  # the ellipse that fills a face's box: x, y, half width and height
_INNER = (0.5, 0.53, 0.36, 0.32)  # from the brows to the mouth, within the box


def skin_in_box(
    image: Image, box: tuple[float, float, float, float], rule: masks.SkinMethod = "calibrated"
) -> tuple[Mask, bool]:
    """Mark a face by its skin: largest part in the box's ellipse, without holes.

    Brows, eyes and mouth are taken to lie where they do in most upright faces.

    Args:
        image: (H, W, 3) uint8 BGR, not changed.
        box: left, top, right, bottom in pixels, from brow or hairline to chin; may reach over
            the picture's border.
        rule: one of `masks.SKIN_METHODS`; `calibrated` learns from the middle of the box.

    Returns:
        (H, W) float32 0..1, 0 outside of the box, and whether too little skin was found (less
        than `masks.MIN_SKIN` of the ellipse) and the whole ellipse took its place.

    Raises:
        EngineError: a box without area, or of numbers that are none.
    """
    left, top, right, bottom = box
    if not (np.isfinite(box).all() and right - left >= 1.0 and bottom - top >= 1.0):
        raise EngineError(
            f"face box is {box}; expected left, top, right, bottom, at least 1 px wide and high"
        )
    scale = np.array([_GRID / (right - left), _GRID / (bottom - top)])
    to_grid = np.column_stack([np.diag(scale), -scale * (left, top) - 0.5])
    view = crop(image, to_grid, _GRID)
    if rule == "calibrated":
        model = SkinModel()
        model.learn(view, box_patch(_GRID))
        accepted = model.mask(view)
    else:
        accepted = skin_mask(view, rule)
    found = masks.skin(accepted, _ellipse(*_FACE))
    shape = masks.hull(_ellipse(*_FACE), _GRID)
    mask = shape
    if found is not None:
        inner = masks.hull(_ellipse(*_INNER), _GRID)
        mask = np.minimum(shape, np.maximum(found.astype(np.float32) / np.float32(255), inner))
    height, width = image.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(mask, to_grid, (width, height), flags=flags)), found is None


def _ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    angle = np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)
    return np.column_stack([x + rx * np.cos(angle), y + ry * np.sin(angle)]) * _GRID - 0.5
