"""Looking for faces that are not tracked yet: which parts of the frame, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import cv2
import numpy as np

from engine.face import Image, Landmarks
from engine.roi import deviation, distance, face_size, same_place, to_frame, upright_crop

_LONG_SIDE = 384
"""Pixels of a searched region; the detector itself sees 128."""

# Margin of a crop, and how far its landmarks may lie from those before, in face sizes. Own
# measurement, 230 faces of 55 to 700 px: at most 0.045, then 0.007; false faces that were
# found again at all: 0.14 and above, then 0.03 and above.
_VERIFICATION = ((2.0, 0.1), (1.6, 0.02))

_RECONSIDER_NS = 300_000_000


class Detector(Protocol):
    """Finds faces in one picture, as `engine.landmarks.Landmarker` does."""

    def detect(self, image: Image) -> list[Landmarks]:
        """Find faces in a (H, W, 3) BGR picture, most confident first."""

    def close(self) -> None:
        """Free what it holds."""


@dataclass(frozen=True)
class Region:
    """A part of the frame, in whole pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int


def tiles(width: int, height: int) -> tuple[Region, ...]:
    """Squares that cover a frame at three scales, a third overlapping, larger ones first.

    The detector misses a face of less than about an eighth of the picture: the smallest
    tiles, a third of the frame's shorter side, bring that down to a twenty-fifth of it.
    """
    short = min(width, height)
    found = []
    for part in (1, 2, 3):
        side = max(1, short // part)
        for top in _starts(height, side):
            found += [Region(x, top, x + side, top + side) for x in _starts(width, side)]
    # A square frame's largest tile is the whole frame, which is searched anyway.
    return tuple(tile for tile in found if tile != Region(0, 0, width, height))


def _starts(length: int, side: int) -> list[int]:
    count = 1 + ceil(1.5 * (length - side) / side)
    return [round(i * (length - side) / max(count - 1, 1)) for i in range(count)]


class Search:
    """Goes through a frame's regions on a budget and remembers where it stopped."""

    def __init__(self, detector: Detector, verifier: Detector) -> None:
        """Take two detectors, which stay the caller's.

        Args:
            detector: finds several faces in a region.
            verifier: finds the one face in a crop.
        """
        self._detector = detector
        self._verifier = verifier
        self._shape: tuple[int, ...] = ()
        self._tiles: tuple[Region, ...] = ()
        self._next = 0
        self._rejected: list[tuple[Landmarks, int]] = []

    def restart(self) -> None:
        """Forget where it stopped and what was rejected: a new shot begins."""
        self._next = 0
        self._rejected.clear()

    def find(
        self, image: Image, known: list[Landmarks], wanted: int, calls: int, time_ns: int
    ) -> list[Landmarks]:
        """Search the whole frame, then as many tiles as the budget allows.

        Args:
            image: (H, W, 3) uint8 BGR, not changed.
            known: faces that are tracked, not to be found again.
            wanted: stop when so many new ones are found.
            calls: detector calls to spend, without those that verify a candidate.
            time_ns: the frame's time; a rejected candidate is left alone for a moment.

        Returns:
            (478, 2) landmarks of at most `wanted` new faces in frame pixels, verified.
        """
        self._rejected = [r for r in self._rejected if 0 <= time_ns - r[1] < _RECONSIDER_NS]
        found: list[Landmarks] = []
        for region in self._regions(image, calls):
            for candidate in sorted(self._detect(image, region), key=face_size, reverse=True):
                if any(distance(candidate, face) < face_size(face) / 2 for face in known + found):
                    continue  # the face itself, or an eye behind a lens
                if any(same_place(candidate, rejected) for rejected, _ in self._rejected):
                    continue
                face = self.verify(image, candidate)
                if face is None:
                    self._rejected.append((candidate, time_ns))
                else:
                    found.append(face)
                if len(found) == wanted:
                    return found
        return found

    def verify(self, image: Image, candidate: Landmarks) -> Landmarks | None:
        """Look twice at what may be a face.

        A true face is found in every crop, at nearly the same place. In hands, wheels or a
        cat's eye the landmarks fall differently each time.

        Args:
            image: (H, W, 3) uint8 BGR, not changed.
            candidate: (478, 2) landmarks in frame pixels.

        Returns:
            (478, 2) landmarks as seen in the last crop, None if it is no face.
        """
        face = candidate
        for margin, limit in _VERIFICATION:
            crop, frame_to_crop = upright_crop(image, face, margin)
            again = [to_frame(each, frame_to_crop) for each in self._verifier.detect(crop)]
            if not again or deviation(face, again[0]) > limit:
                return None
            face = again[0]
        return face

    def _regions(self, image: Image, calls: int) -> Iterator[Region]:
        height, width = image.shape[:2]
        if image.shape != self._shape:
            self._shape = image.shape
            self._tiles = tiles(width, height)
            self._next = 0
        yield Region(0, 0, width, height)
        for _ in range(min(calls - 1, len(self._tiles))):
            tile = self._tiles[self._next % len(self._tiles)]
            self._next += 1
            yield tile

    def _detect(self, image: Image, region: Region) -> list[Landmarks]:
        part = image[region.top : region.bottom, region.left : region.right]
        height, width = part.shape[:2]
        scale = min(1.0, _LONG_SIDE / max(height, width))
        if scale < 1.0:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        stretch = np.array([width / part.shape[1], height / part.shape[0]])
        corner = np.array([region.left, region.top])
        return [
            np.asarray((face + 0.5) * stretch - 0.5 + corner, np.float32)
            for face in self._detector.detect(part)
        ]
