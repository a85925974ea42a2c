"""Lip movement for synthetic speech: phonemes to mouth shapes, smoothed in time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from export.persona.speech import Speech

MOUTHS: Mapping[str, Mapping[str, float]] = {
    "rest": {},
    "closed": {"mouth-compression": 0.5},
    "wide": {"mouth-open": 0.38, "mouth-part-later": 0.36},
    "spread": {"mouth-open": 0.2, "mouth-part-later": 0.28, "mouth-retraction": 0.25},
    "round": {"mouth-open": 0.36, "mouth-pursing": 0.4},
    "pursed": {"mouth-open": 0.16, "mouth-pursing": 0.7},
    "lip-to-teeth": {"mouth-open": 0.05, "mouth-part-later": 0.45},
    "teeth": {"mouth-open": 0.12, "mouth-part-later": 0.28},
    "pushed": {"mouth-open": 0.14, "mouth-protusion": 0.5, "mouth-pursing": 0.25},
    "slack": {"mouth-open": 0.16, "mouth-part-later": 0.22},
}
"""Weights of expression units for each mouth shape (viseme)."""

_SHAPE_OF = {
    **dict.fromkeys("mbp", "closed"),
    **dict.fromkeys("fv", "lip-to-teeth"),
    **dict.fromkeys("szdntlTDN", "teeth"),
    **dict.fromkeys("SZr", "pushed"),
    **dict.fromkeys("aAV03", "wide"),
    **dict.fromkeys("eEiIj", "spread"),
    **dict.fromkeys("oO", "round"),
    **dict.fromkeys("uUw", "pursed"),
    **dict.fromkeys("@kgh", "slack"),
}
_STEPS_PER_S = 200
_SMOOTHING_S = 0.035
# Lips move before the sound they make.
_LEAD_S = 0.04


def mouth_of(phoneme: str) -> str:
    """Name of the mouth shape for espeak's name of a phoneme; "rest" for a pause.

    Of a diphthong the first sound counts; its second half is left to the smoothing.
    """
    for letter in phoneme:
        if letter in _SHAPE_OF:
            return _SHAPE_OF[letter]
    return "rest"


def lip_track(speech: Speech, times: NDArray[np.float64]) -> list[dict[str, float]]:
    """Weights of expression units at some moments.

    Args:
        speech: what is said.
        times: (N,) seconds from the start of the speech; may lie outside of it.

    Returns:
        One mapping for each time.
    """
    steps = int(np.ceil(speech.duration_s * _STEPS_PER_S)) + _STEPS_PER_S
    units = sorted({unit for mouth in MOUTHS.values() for unit in mouth})
    curve = np.zeros((steps, len(units)))
    starts = [start for start, _ in speech.phonemes]
    ends = [*starts[1:], speech.duration_s]
    for (start, phoneme), end in zip(speech.phonemes, ends, strict=True):
        first, last = (round((moment - _LEAD_S) * _STEPS_PER_S) for moment in (start, end))
        mouth = MOUTHS[mouth_of(phoneme)]
        curve[max(first, 0) : max(last, 0)] = [mouth.get(unit, 0.0) for unit in units]
    smooth = gaussian_filter1d(curve, _SMOOTHING_S * _STEPS_PER_S, axis=0)
    grid = np.arange(steps) / _STEPS_PER_S
    columns = [np.interp(times, grid, smooth[:, index], left=0.0) for index in range(len(units))]
    return [dict(zip(units, map(float, row), strict=True)) for row in np.stack(columns, axis=1)]
