"""Finding the pattern of `stream.marking.watermark` again, and saying how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE, crop
from engine.face import Face, Image
from stream.marking.watermark import HIGH, LOW, SIDE, pattern

Float = NDArray[np.float32]
Spectrum = NDArray[np.complex128]

MOST_CHANCE = 1e-6
"""A video counts as marked if chance alone would do as well less often than this."""

_CROP = 128
_REACH = 3
"""Pixels of the crop by which the pattern is looked for around its place, in each direction."""
_SCALES = (0.94, 0.97, 1.0, 1.03, 1.06)
_TURNS_DEG = (-3.0, 0.0, 3.0)
_TEXTURE_PX = 4.0
_LARGEST_PICTURE_NOISE = 1.0
_RING = 2.0
_ROUNDING = 1e-3
_CB = np.array([0.5, -0.3313, -0.1687], np.float32)  # of BGR
_PLACES = 2 * len(_SCALES) * len(_TURNS_DEG) * (2 * _REACH + 1) ** 2


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found in one face of a video.

    Attributes:
        track: the face's.
        frames: in how many frames it was looked at.
        score: by how many standard deviations the pattern stands out of chance, at the best of
            all places that were tried.
        chance: how often a face that knows nothing of the pattern scores as high, at most, in a
            video of so many faces. The pattern was drawn by lot, so the score at one place is a
            standard normal number whatever the picture; all places and faces are counted as if
            each were another try. `python -m benchmarks watermark` checks it.
    """

    track: int
    frames: int
    score: float
    chance: float

    @property
    def marked(self) -> bool:
        """Whether the pattern is there."""
        return self.chance < MOST_CHANCE


class WatermarkReader:
    """Gathers what the frames of one video show, face by face; for use by one thread."""

    def __init__(self, seed: int | None = None) -> None:
        """Prepare the search.

        Args:
            seed: look for the pattern of another seed, to measure what chance does.
        """
        drawn = pattern(SIDE) if seed is None else pattern(SIDE, seed)
        small = cv2.resize(drawn, (_CROP, _CROP), interpolation=cv2.INTER_AREA)
        self._grid = _Grid()
        self._wanted = np.conj(self._grid.spectra(np.asarray(small, np.float32)))
        self._wanted_power = self._grid.ring_means(np.abs(self._wanted) ** 2)
        self._sums: dict[int, Float] = {}
        self._frames: dict[int, int] = {}

    def add(self, image: Image, faces: Sequence[Face]) -> None:
        """Take in the faces of a frame.

        Args:
            image: (H, W, 3) uint8 BGR, not changed.
            faces: as `engine.track.FaceTracker` found them; one that is only held is left out.
        """
        for face in faces:
            matrix = FULL_FACE.frame_to_crop(face.landmarks, _CROP)
            if face.held or not np.isfinite(matrix).all():
                continue
            shown = self.evidence(crop(image, matrix, _CROP))
            before = self._sums.get(face.track)
            self._sums[face.track] = shown if before is None else before + shown
            self._frames[face.track] = self._frames.get(face.track, 0) + 1

    def traces(self) -> tuple[Trace, ...]:
        """What was found so far, the surest first."""
        faces = len(self._sums)
        scores = {track: self.score(total) for track, total in self._sums.items()}
        found = [
            Trace(track, self._frames[track], score, min(faces * chance(score), 1.0))
            for track, score in scores.items()
        ]
        return tuple(sorted(found, key=lambda trace: -trace.score))

    def evidence(self, face: Image) -> Float:
        """What of an aligned face may be the pattern.

        The pattern's band of Cb, divided by the power that the picture itself has there:
        smooth skin tells much, eyes and beards little.

        Args:
            face: (128, 128, 3) uint8 BGR.

        Returns:
            (128, 128) float32, 0 outside of the face; of several frames it may be summed.
        """
        detail = self._grid.in_band(face.astype(np.float32) @ _CB)
        power = cv2.GaussianBlur(detail * detail, (0, 0), _TEXTURE_PX)
        return np.asarray(self._grid.face * detail / (power + _LARGEST_PICTURE_NOISE), np.float32)

    def score(self, total: Float) -> float:
        """Greatest score over all places, sizes, turns and both mirror images."""
        grid = self._grid
        spectra = grid.spectra(_variants(total))
        # Whitened: a picture's coarse detail is stronger than its fine one.
        powers = [grid.ring_means(np.abs(spectrum) ** 2) for spectrum in spectra]
        white = spectra / np.sqrt(np.stack(powers) + _ROUNDING)
        variances = (np.abs(white) ** 2 * self._wanted_power).sum(axis=(1, 2))
        found = grid.near(white * self._wanted).max(axis=(1, 2))
        # Nothing but rounding is left of a flat picture.
        known = variances > 0.1 * self._wanted_power.sum()
        return float(np.max(found[known] / np.sqrt(variances[known]), initial=0.0))


class _Grid:
    """Constants over the crop and over the frequencies of the pattern's band."""

    def __init__(self) -> None:
        pixels, periods = np.arange(_CROP), np.arange(-HIGH, HIGH + 1)
        shifts = np.arange(-_REACH, _REACH + 1)
        distance = np.hypot(periods[:, None], periods)
        self._band = (distance >= LOW) & (distance <= HIGH)
        # Only a fraction of all frequencies and places counts: cheaper than a fast transform.
        self._transform = np.exp(-2j * np.pi / _CROP * np.outer(periods, pixels))
        self._place = np.exp(2j * np.pi / _CROP * np.outer(shifts, periods))
        self._rings = np.where(self._band, np.round(distance / _RING), 0).astype(np.intp)
        self._sizes = np.maximum(np.bincount(self._rings.ravel()), 1)
        center = (pixels + 0.5) / _CROP
        inside = ((center - 0.5) / 0.36) ** 2 + ((center[:, None] - 0.48) / 0.42) ** 2 < 1
        self.face = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 3)

    def spectra(self, pictures: Float) -> Spectrum:
        """Frequencies in the band of (..., 128, 128) pictures; 0 outside of it."""
        return np.asarray(self._transform @ pictures @ self._transform.T * self._band)

    def in_band(self, picture: Float) -> Float:
        """A picture without what lies outside of the band."""
        back = np.conj(self._transform.T)
        filtered = back @ self.spectra(picture) @ back.T
        return np.asarray(np.real(filtered) / _CROP**2, np.float32)

    def near(self, spectra: Spectrum) -> NDArray[np.float64]:
        """Sums over all frequencies at the places within reach: correlations, for products."""
        return np.real(self._place @ spectra @ self._place.T)

    def ring_means(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean over all frequencies of about the same magnitude, at each of them."""
        sums = np.bincount(self._rings.ravel(), power.ravel())
        return np.asarray((sums / self._sizes)[self._rings], np.float64)


def _variants(total: Float) -> Float:
    """A sum as it may lie: the aligned face is not found at the very same place."""
    middle = ((_CROP - 1) / 2, (_CROP - 1) / 2)
    pictures = [
        cv2.warpAffine(picture, cv2.getRotationMatrix2D(middle, turn_deg, scale), (_CROP, _CROP))
        for picture in (total, np.ascontiguousarray(total[:, ::-1]))
        for scale in _SCALES
        for turn_deg in _TURNS_DEG
    ]
    return np.stack(pictures).astype(np.float32, copy=False)


def chance(score: float) -> float:
    """Probability, at most, that chance alone scores as high in one face."""
    return min(_PLACES * 0.5 * math.erfc(score / math.sqrt(2)), 1.0)
