"""What lies before a face: hair and background inside the landmarks' hull, hands that cross it.

Two cues, both on a small grid of the aligned crop, where the landmarks hold the face still, so
that what was found in one frame stays in place on the face until the next look:

*Color*: what cannot be this person's skin and reaches the hull's edge. Only beside and above
the inner face, because a beard is no occluder.
*Novelty*: what looks unlike this place of the face looked so far, reaches in from outside, and is
of one compact piece: a hand. It has to move in: what covers the face from the first
frame on is taken for the face.

Eyes, brows, nose and mouth are kept unless a hand crosses them. What fails: hair of the skin's
hue, a finger beside the face, anything that was there from the start or comes while the head
turns; and seldom a sliver of cheek is taken for an occluder.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import masks, regions
from engine.align import Points
from engine.face import Image, Mask
from engine.skin_model import SkinModel

INTERVAL = 2
"""Frames from one look to the next; between them what was found moves with the landmarks."""

MAX_FOREIGN = 0.25
"""If more of the face than this has no skin color, it is the light's doing, not hair's."""

MAX_NOVEL = 0.6
"""If more of the face than this looks new, the light or the face has changed."""

_GRID = 96
_FOREIGN_REACH = 2.4  # times the usual distance from skin, to be surely none
_LEAST_AREA = 0.012  # share of the face
_LEAST_OUTSIDE = 0.015  # of a hand, beyond the hull, as a share of the face
_NOVEL = 0.13  # share of the face's luma that a hand differs by at least...
_NOVEL_LEVELS = 6.0  # ...and so many gray levels more...
_NOVEL_DEVIATIONS = 3.0  # ...or, if that is more, so many times what is usual at this place
_FIRST_DEVIATION = 4.0  # gray levels that count as usual before any were seen
_DOUBTFUL = 0.6  # share of that difference from which a pixel may belong to a hand...
_SURE_SHARE = 0.4  # ...if so much of the piece shows all of it
_BLUR = 1.0  # pixels of the grid: noise and landmarks' jitter are nothing new
_LEAST_WIDTH = 0.06  # of the face's size, that a hand is wide
_FINGER_GAP = 0.12  # of the face's size, up to which it is the same hand
_LEARN = 0.12  # of a frame's look, where nothing is new...
_LEARN_NEW = 0.015  # ...where something is...
_LEARN_COVERED = 0.005  # ...and where that is a hand: it may stay for seconds
_TURNED = 0.09  # of the face's size that the nose moved against the face: learn anew...
_LEARN_TURNED = 0.3  # ...so fast
_RELEASE = 0.5  # share of a new look: what is found fades in and out over some frames

Bits = NDArray[np.uint8]


class Occluders:
    """Follows what covers one tracked face. Cut or lost track: start a new one."""

    def __init__(self) -> None:
        self._frames = 0
        self._usual: NDArray[np.float32] | None = None
        self._deviation = np.full((_GRID, _GRID), _FIRST_DEVIATION, np.float32)
        self._pose = np.zeros(2)
        self._found = np.zeros((_GRID, _GRID), np.float32)

    def __call__(self, crop: Image, points: Points, skin: SkinModel) -> Mask:
        """Look at the next frame, or keep what the last look found.

        Args:
            crop: (size, size, 3) uint8 BGR, the frame's own face.
            points: (478, 2) landmarks in pixels of the crop.
            skin: that has learned from this face; as long as it knows nothing, color tells
                nothing.

        Returns:
            (size, size) float32, 1 where something covers the face, else 0.
        """
        size = crop.shape[0]
        if self._frames % INTERVAL == 0:
            found = self._look(crop, points, skin)
            rate = _RELEASE if self._frames else 1.0
            self._found += np.float32(rate) * (found - self._found)
        self._frames += 1
        return np.asarray(cv2.resize(self._found, (size, size), interpolation=cv2.INTER_LINEAR))

    def _look(self, crop: Image, points: Points, skin: SkinModel) -> Mask:
        small = np.asarray(cv2.resize(crop, (_GRID, _GRID), interpolation=cv2.INTER_AREA), np.uint8)
        near = (points + 0.5) * (_GRID / crop.shape[0]) - 0.5
        face = _bits(masks.hull(near, _GRID))
        face_size = float(np.sqrt(np.count_nonzero(face)))
        if face_size < _GRID / 8:
            return np.zeros((_GRID, _GRID), np.float32)
        found = self._novel(small, near, face, face_size)
        if skin.known:
            found |= _foreign(skin.mask(small, _FOREIGN_REACH), small, near, face, face_size)
        return (found > 0).astype(np.float32)

    def _novel(self, small: Image, near: Points, face: Bits, face_size: float) -> Bits:
        """Compact pieces that reach in from outside where the face looked otherwise so far."""
        seen = cv2.GaussianBlur(small, (0, 0), _BLUR).astype(np.float32)
        nose, temples = (near[part].mean(axis=0) for part in (regions.NOSE_TIP, regions.TEMPLES))
        pose = (nose - temples) / face_size
        inside = face > 0
        if self._usual is None:
            self._usual, self._pose = seen, pose
            return np.zeros_like(face)
        light = float(np.median(seen[inside].sum(axis=1)))
        gain = light / max(float(np.median(self._usual[inside].sum(axis=1))), 1.0)
        off = np.abs(seen - np.float32(gain) * self._usual).max(axis=2)
        turn = float(np.abs(pose - self._pose).max())
        least = _NOVEL / 3.0 * light + _NOVEL_LEVELS  # light: the sum of three channels
        limit = np.maximum(least, _NOVEL_DEVIATIONS * self._deviation)
        unlike = (off > _DOUBTFUL * limit).astype(np.uint8)
        hands = _opened(unlike, _LEAST_WIDTH * face_size)
        found = np.zeros_like(face)
        if turn < _TURNED and np.count_nonzero(unlike[inside]) < MAX_NOVEL * face_size**2:
            for piece in _pieces(hands, _LEAST_AREA * face_size**2):
                within = piece & inside
                area = np.count_nonzero(within)
                if (
                    area >= _LEAST_AREA * face_size**2
                    and np.count_nonzero(piece & ~inside) >= _LEAST_OUTSIDE * face_size**2
                    and np.count_nonzero(off[within] > limit[within]) >= _SURE_SHARE * area
                ):
                    found[piece] = 255
        closing = cv2.morphologyEx(found, cv2.MORPH_CLOSE, _disk(_FINGER_GAP * face_size))
        found = np.asarray(closing, np.uint8) & face  # between fingers it is still the hand
        rate = np.where(unlike > 0, np.float32(_LEARN_NEW), np.float32(_LEARN))
        rate[found > 0] = _LEARN_COVERED
        if turn >= _TURNED:
            rate[:] = _LEARN_TURNED
        self._usual += rate[:, :, None] * (seen - self._usual)
        rate[found > 0] = 0.0
        self._deviation += rate * (off - self._deviation)
        self._pose = self._pose + _LEARN * (pose - self._pose)
        return found


def _foreign(skin: Bits, small: Image, near: Points, face: Bits, face_size: float) -> Bits:
    """What has no skin color and reaches the hull's edge, beside and above the inner face."""
    inner = _bits(masks.inner_face(near, _GRID, 0.03 * face_size))
    outside = (face > 0) & (skin == 0) & (inner == 0)
    if np.count_nonzero(outside) > MAX_FOREIGN * face_size**2:
        return np.zeros_like(face)
    # Below the nose only what is brighter than skin can be told from a beard: a wall.
    level = int(np.clip(near[regions.NOSE_BASE, 1].mean(), 0, _GRID))
    luma = small.max(axis=2)
    own = luma[(face > 0) & (skin > 0)]
    bright = luma > (1.15 * float(np.median(own)) if own.size else 255.0)
    outside[level:] &= bright[level:]
    core = _eroded(face, 0.04 * face_size)
    found = np.zeros_like(face)
    opened = _opened(outside.astype(np.uint8), 0.04 * face_size)
    for piece in _pieces(opened, _LEAST_AREA * face_size**2):
        if (piece & (core == 0)).any():
            found[piece] = 255
    # A beard's white border, and hair on the jaw, are thin: below the nose only the rim counts.
    deep = _eroded(face, 0.1 * face_size)
    found[level:][deep[level:] > 0] = 0
    return found


def _bits(coverage: Mask) -> Bits:
    """What is covered by half or more, 255, else 0."""
    return np.asarray(coverage >= 0.5, np.uint8) * np.uint8(255)


def _disk(width: float) -> Bits:
    side = max(round(width), 1) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _opened(mask: Bits, width: float) -> Bits:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disk(width)), np.uint8)


def _eroded(mask: Bits, depth: float) -> Bits:
    return np.asarray(cv2.erode(mask, _disk(2.0 * depth), borderValue=0), np.uint8)


def _pieces(mask: Bits, least: float) -> list[NDArray[np.bool_]]:
    """Connected parts of at least so many pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= least) + 1
    return [labels == label for label in large]
