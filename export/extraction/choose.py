"""Which of all faces that were found are worth training on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE, apply
from engine.regions import INNER_FACE
from export.extraction.found import Found
from export.extraction.quality import THUMBNAIL, Limits

# Faces differ by 1 if their thumbnails differ by this (RMS, in standard deviations of the
# thumbnail) or their landmarks by that (RMS, in unit squares), and nothing else. Own
# measurement on 15 tracks of 8 clips: faces of one frame and the next, 17 to 80 ms apart,
# differ by 0.3 to 1.7 (median of a track), by 0.2 to 0.8 while the head rests.
_THUMBNAIL_STEP: Final = 0.08
_LANDMARK_STEP: Final = 0.006

# On the same tracks: nearest faces of one person before and after a cut 1.5, 1.9 and 2.2, of
# two people 9.8 and above.
_SAME_PERSON: Final = 4.0
_COMPARED: Final = 150

_LEAST_CONTRAST: Final = 4.0
"""Gray levels; in a plain thumbnail noise shall not decide."""

_SHOWN: Final = np.union1d(INNER_FACE, FULL_FACE.indices)


def main_person(faces: Sequence[Found]) -> list[int]:
    """Tracks of the person who is seen most in a clip.

    The longest track, the oldest of several, and those that a cut or a pause parted from it:
    never in a frame together with it, and at some time of the same looks.

    Returns:
        Their numbers, sorted; empty without faces.
    """
    counts = Counter(face.track for face in faces)
    person: list[int] = []
    for track in sorted(counts, key=lambda track: (-counts[track], track)):
        known = [face for face in faces if face.track in person]
        new = [face for face in faces if face.track == track]
        together = {face.seq for face in known} & {face.seq for face in new}
        if not person or (not together and _nearest(known, new) < _SAME_PERSON):
            person.append(track)
    return sorted(person)


def _nearest(first: Sequence[Found], second: Sequence[Found]) -> float:
    """Distance of those two faces that look most alike, of some hundred in each group."""
    looks = appearance(first[:: len(first) // _COMPARED + 1])
    others = appearance(second[:: len(second) // _COMPARED + 1])
    return min(float(np.linalg.norm(looks - other, axis=1).min()) for other in others)


def good_ones(faces: Sequence[Found], limits: Limits) -> tuple[list[Found], Counter[str]]:
    """Sort out faces that are not good enough.

    Returns:
        The others, and how many were sorted out for each reason.
    """
    problems = [limits.problem(face.scores) for face in faces]
    good = [face for face, problem in zip(faces, problems, strict=True) if problem is None]
    return good, Counter(problem for problem in problems if problem)


def appearance(faces: Sequence[Found]) -> NDArray[np.float32]:
    """What faces look like, as vectors whose Euclidean distance tells how much they differ.

    Returns:
        (N, D); at a distance of 1 two faces differ about as much as those of a talking head
        do from one frame to the next.
    """
    pixels = THUMBNAIL**2
    looks = np.empty((len(faces), pixels + 2 * len(_SHOWN)), np.float32)
    for row, face in zip(looks, faces, strict=True):
        light = face.thumbnail.astype(np.float64).ravel()
        light = (light - light.mean()) / max(float(light.std()), _LEAST_CONTRAST)
        shape = apply(FULL_FACE.frame_to_crop(face.landmarks, 1), face.landmarks[_SHOWN])
        row[:pixels] = light / (_THUMBNAIL_STEP * np.sqrt(pixels))
        row[pixels:] = shape.ravel() / (_LANDMARK_STEP * np.sqrt(len(shape)))
    return looks


def distinct(faces: Sequence[Found], looks: NDArray[np.float32], distance: float) -> list[int]:
    """Leave near-duplicates out, the sharper one of two stays.

    Args:
        faces: to choose from.
        looks: their `appearance`.
        distance: between any two that stay; 0 keeps all.

    Returns:
        Their indices, in order.
    """
    if distance <= 0:
        return list(range(len(faces)))
    free = np.ones(len(faces), np.bool_)
    kept = []
    for index in sorted(range(len(faces)), key=lambda i: -faces[i].scores.sharpness):
        if free[index]:
            kept.append(index)
            free &= _distances(looks, index) >= distance
    return sorted(kept)


def spread(looks: NDArray[np.float32], count: int, first: int = 0) -> list[int]:
    """Choose faces that differ most: each is as far as can be from those before it.

    Args:
        looks: (N, D) appearance.
        count: at most so many.
        first: the one to begin with.

    Returns:
        Indices, in the order of choice.
    """
    chosen: list[int] = []
    nearest = np.full(len(looks), np.inf, np.float32)
    index = first
    while len(chosen) < min(count, len(looks)):
        chosen.append(index)
        nearest = np.minimum(nearest, _distances(looks, index))
        nearest[chosen] = -1.0
        index = int(nearest.argmax())
    return chosen


def _distances(looks: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(looks - looks[index], axis=1), np.float32)
