"""Which of MediaPipe's 478 face landmarks form which part of the face.

Right and left are the person's own. Index sets follow the connections that MediaPipe
publishes (`mediapipe.tasks.python.vision.FaceLandmarksConnections`, Apache-2.0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def _indices(*values: int) -> Indices:
    array = np.array(values, np.intp)
    array.flags.writeable = False
    return array


RIGHT_EYE = _indices(33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""Outline of the eyelids' opening."""
LEFT_EYE = _indices(263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_BROW = _indices(46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
LEFT_BROW = _indices(276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
BROWS = np.concatenate([RIGHT_BROW, LEFT_BROW])
LIPS = _indices(
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    *(409, 270, 269, 267, 0, 37, 39, 40, 185),
)
"""Outer outline of the lips."""
NOSE_BASE = _indices(98, 97, 2, 326, 327)
"""From one nostril's wing to the other."""
JAW = _indices(
    *(127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148),
    *(152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356),
)
"""Outline of the face from one temple, beside the eye, around the chin to the other."""
NOSE_TIP = _indices(1)
TEMPLES = _indices(127, 356)
"""Where `JAW` begins and ends: the right one, the left one."""
SKIN_PATCHES = (
    _indices(101, 50, 187, 207, 206, 36),
    _indices(330, 280, 411, 427, 426, 266),
    _indices(197, 236, 51, 5, 281, 456),
    _indices(108, 151, 337, 336, 9, 107),
)
"""Right cheek, left cheek, nose, lower forehead: where most faces show skin."""

RIGHT_EYE_AND_BROW = np.concatenate([RIGHT_EYE, RIGHT_BROW])
LEFT_EYE_AND_BROW = np.concatenate([LEFT_EYE, LEFT_BROW])
INNER_FACE = np.concatenate([RIGHT_EYE_AND_BROW, LEFT_EYE_AND_BROW, NOSE_BASE, LIPS])
"""What makes a person: eyes, brows, nose and mouth."""
JAW_TO_BROWS = np.concatenate([JAW, BROWS])
"""The face without its forehead: all that 68 classic landmarks outline."""
