"""What is known about one face in one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR picture."""

Landmarks: TypeAlias = NDArray[np.float32]
"""(478, 2) float32 x, y in pixels of the frame; integers are pixel centers."""

Mask: TypeAlias = NDArray[np.float32]
"""(H, W) float32 coverage, 0 (keep the frame) to 1 (take the swap)."""

Matrix: TypeAlias = NDArray[np.float64]
"""(2, 3) float64 affine map between two pixel grids, named by its direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Swap:
    """A model's answer for one face.

    Attributes:
        image: (S, S, 3) uint8 BGR, the new face at the model's output size.
        mask: (S, S) float32 0..1, where the model sees unoccluded face, or None if the
            model predicts no mask.
        frame_to_crop: (2, 3) map from frame pixels to pixels of `image`.
        change: mean absolute difference of `image` to the face that the model was given, in
            gray levels; about 0 for a model that gives its input back.
    """

    image: Image
    mask: Mask | None
    frame_to_crop: Matrix
    change: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One tracked face.

    Attributes:
        landmarks: (478, 2) float32, MediaPipe's topology, frame pixels, smoothed in time.
        track: identifies the same face from frame to frame; never reused in a run.
        age: frames since the track began, 0 for the first.
        yaw_deg: head turn estimated from the landmarks, 0 is frontal, positive is turned
            to the right of the picture.
        swap: what the model made of it, None before the swap stage.
        held: frames since it was last found; above 0 the landmarks are of that frame.
        shown: how much of eyes, nose and mouth has been replaced in the picture, 0 before
            blending, to 1.
        bystander: it is not to be swapped, because enough others are.
    """

    landmarks: Landmarks
    track: int
    age: int = 0
    yaw_deg: float = 0.0
    swap: Swap | None = None
    held: int = 0
    shown: float = 0.0
    bystander: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the landmarks in frame pixels."""
        left, top = self.landmarks.min(axis=0)
        right, bottom = self.landmarks.max(axis=0)
        return float(left), float(top), float(right), float(bottom)
