"""One tracked face's mask: its shapes, intersected and softened, with what they remember."""

from __future__ import annotations

import numpy as np

from engine import masks
from engine.align import Points
from engine.face import Image, Mask
from engine.occlusion import Occluders
from engine.skin import skin_mask
from engine.skin_model import SkinModel, patches
from engine.smooth_mask import CROP, REACH, smooth_mask

_SKIN_RATE = 0.25  # least share of a new frame in the skin's shape: colors near the limit flicker


class FaceMask:
    """The mask of one tracked face, the intersection of its shapes.

    Remembers the person's skin, and what the face looks like uncovered: a new face, or the
    same one after a cut, needs a new object.
    """

    def __init__(self) -> None:
        self._skin_model = SkinModel()
        self._skin: Mask | None = None
        self._occluders = Occluders()

    def __call__(  # noqa: PLR0913  # one call a face; a settings object would hide what it reads
        self,
        shapes: tuple[str, ...],
        crop: Image,
        points: Points,
        model: Mask | None,
        *,
        rule: masks.SkinMethod,
        erode: float,
        feather: float,
        profile: masks.FeatherProfile = "ramp",
        rate: float = 1.0,
    ) -> tuple[Mask, bool]:
        """Build the mask of the next frame.

        Args:
            shapes: from `masks.parse_shapes`.
            crop: (size, size, 3) uint8 BGR, the frame's own face.
            points: (478, 2) landmarks in pixels of the crop.
            model: (S, S) float32, the model's mask at any size, or None. NaN counts as 0, and
                a mask of nothing else as None.
            rule: for `skin`, one of `masks.SKIN_METHODS`.
            erode: as a fraction of the face's size (the square root of the hull's area).
            feather: as `erode`.
            profile: one of `masks.FEATHER_PROFILES`; `smooth_mask` has its own measures.
            rate: 0..1, how much of what this frame tells of the skin to take; at 1 its color
                and shape are each frame's own.

        Returns:
            (size, size) float32 mask, and whether a shape that was asked for could not be had
            (no skin found, no mask in the model) and the hull took its place.
        """
        size = crop.shape[0]
        face_size = float(np.sqrt(masks.hull(points, size).sum()))
        erode, feather = erode * face_size, feather * face_size
        room = erode + feather if profile == "ramp" else size * REACH / CROP
        face = masks.face_hull(points, size, margin=room)
        cut = masks.from_model(model, size) if "model" in shapes else None
        if {"skin", "occlusion"} & set(shapes):
            self._skin_model.learn(crop, patches(points, size), rate)
        fell_back = False
        coverage = np.ones((size, size), np.float32)
        for shape in shapes:
            if shape == "hull-eyes":
                found: Mask | None = masks.hull_eyes(points, size)
            elif shape == "rect":
                found = masks.rect(size)
            elif shape == "skin":
                inner = np.minimum(masks.inner_face(points, size, room), face)
                found = self._skin_coverage(crop, points, rule, inner, max(rate, _SKIN_RATE))
            elif shape == "occlusion":
                covered = self._occluders(crop, points, self._skin_model)
                found = np.asarray(face * (1.0 - covered), np.float32)
            elif shape == "model" and cut is None:
                found = None
            else:
                found = face
            fell_back |= found is None
            coverage = np.minimum(coverage, face if found is None else found)
        if profile == "smooth_mask":
            mask = smooth_mask(coverage)
        else:
            mask = masks.soften(coverage, erode, feather)
        if cut is not None:
            mask *= cut
        return mask, fell_back

    def _skin_coverage(
        self, crop: Image, points: Points, rule: masks.SkinMethod, inner: Mask, rate: float
    ) -> Mask | None:
        """Skin and the inner face, which is no skin by color but always belongs to it.

        A hole for eyes, brows or mouth would keep the original person's.
        """
        model = self._skin_model
        accepted = model.mask(crop) if rule == "calibrated" else skin_mask(crop, rule)
        component = masks.skin(accepted, points)
        if component is None:
            self._skin = None
            return None
        shape = component.astype(np.float32) * np.float32(1 / 255)
        if self._skin is not None and self._skin.shape == shape.shape:
            shape = self._skin + np.float32(rate) * (shape - self._skin)
        self._skin = shape
        return np.asarray(np.maximum(shape, inner), np.float32)
