"""Faces as pairs of colored dots, and a detector that finds them as the real one would.

The dots are found again in every crop, turned or scaled, so what is tested is the whole way
from the frame to a crop and back, only without a neural network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from engine.align import FULL_FACE, apply, umeyama
from engine.face import Image, Landmarks
from engine.roi import face_size
from tests.painted_face import UNIT_LANDMARKS

_EYES = UNIT_LANDMARKS[[33, 263]]
_BLUE_STEP = 50


def scene(height: int = 180, width: int = 320, seed: int | None = None) -> Image:
    """A gray wall, or with a seed a colorless pattern that no other seed has."""
    image = np.full((height, width, 3), 128, np.uint8)
    if seed is not None:
        coarse = np.random.default_rng(seed).integers(60, 200, (6, 10, 1), dtype=np.uint8)
        big = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        image[:] = np.asarray(big)[..., None]
    return image


def mark(
    image: Image, who: int, center: tuple[float, float], size: float, angle_deg: float = 0.0
) -> Image:
    """Draw face number `who`, 0 to 4, into the picture, which is changed and returned."""
    turn = np.deg2rad(angle_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    eyes = (_EYES - UNIT_LANDMARKS.mean(axis=0)) * size / np.ptp(UNIT_LANDMARKS[:, 1])
    blue = who * _BLUE_STEP
    for (x, y), color in zip(
        eyes @ rotation.T + center, ((blue, 0, 255), (blue, 255, 0)), strict=True
    ):
        place = round(x * 16), round(y * 16)
        cv2.circle(image, place, round(size * 1.6), color, -1, cv2.LINE_AA, shift=4)
    return image


@dataclass
class MarkDetector:
    """Finds marked faces, the largest first.

    Attributes:
        max_faces: returned by one call.
        min_share: a face smaller than this part of the picture's longer side is missed.
        blind: finds nothing while set.
        phantoms: faces that are no faces: their landmarks fall elsewhere in every call.
        calls: sizes of the pictures seen.
    """

    max_faces: int = 1
    min_share: float = 0.0
    blind: bool = False
    phantoms: frozenset[int] = frozenset()
    closed: bool = False
    calls: list[tuple[int, int]] = field(default_factory=list)

    def detect(self, image: Image) -> list[Landmarks]:
        self.calls.append((image.shape[1], image.shape[0]))
        if self.blind:
            return []
        reds, greens = self._dots(image, 2), self._dots(image, 1)
        faces = []
        for who in sorted(reds.keys() & greens.keys()):
            dots = [reds[who], greens[who]]
            landmarks = apply(umeyama(_EYES, np.array(dots)), UNIT_LANDMARKS).astype(np.float32)
            if face_size(landmarks) < self.min_share * max(image.shape[:2]):
                continue
            if who in self.phantoms:
                landmarks += np.float32(0.2 * face_size(landmarks) * (-1) ** len(self.calls))
            faces.append(landmarks)
        return sorted(faces, key=face_size, reverse=True)[: self.max_faces]

    def close(self) -> None:
        self.closed = True

    @staticmethod
    def _dots(image: Image, channel: int) -> dict[int, tuple[float, float]]:
        """Centers of the dots of one color, by the number that is in their blue."""
        low, high = [0, 0, 0], [255, 255, 255]
        low[channel], high[3 - channel] = 241, 14
        places = cv2.findNonZero(cv2.inRange(image, tuple(low), tuple(high)))
        if places is None:
            return {}
        xs, ys = places.reshape(-1, 2).T
        numbers, rests = np.divmod(image[ys, xs, 0].astype(int) + 15, _BLUE_STEP)
        numbers[rests > 30] = -1
        return {
            int(who): (float(xs[numbers == who].mean()), float(ys[numbers == who].mean()))
            for who in np.unique(numbers)
            if who >= 0
        }


@dataclass
class Detectors:
    """Opens `MarkDetector`s for a tracker and keeps hold of them."""

    min_share: float = 0.0
    phantoms: frozenset[int] = frozenset()
    opened: list[MarkDetector] = field(default_factory=list)

    def __call__(self, _model_path: Path, max_faces: int, _min_confidence: float) -> MarkDetector:
        detector = MarkDetector(max_faces, self.min_share, phantoms=self.phantoms)
        self.opened.append(detector)
        return detector

    @property
    def calls(self) -> int:
        return sum(len(detector.calls) for detector in self.opened)

    def blind(self, blind: bool = True) -> None:
        for detector in self.opened:
            detector.blind = blind


def marked_center(landmarks: Landmarks) -> tuple[float, float]:
    """The `center` that `mark` was given for these landmarks."""
    x, y = apply(
        umeyama(UNIT_LANDMARKS[FULL_FACE.indices], landmarks[FULL_FACE.indices]),
        UNIT_LANDMARKS.mean(axis=0)[None],
    )[0]
    return float(x), float(y)
