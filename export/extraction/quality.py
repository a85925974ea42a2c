"""How good a face is for training, and which ones are good enough."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE, apply, crop
from engine.face import Image, Landmarks
from engine.roi import yaw_deg

THUMBNAIL = 16
"""Side of the thumbnail by which duplicates are known, in pixels."""

_SIDE = 128
_BLACK, _WHITE = 4, 251


@dataclass(frozen=True, slots=True)
class Scores:
    """What is measured on one face.

    Attributes:
        size_px: side of the alignment's unit square in pixels of the source.
        sharpness: 0 to 1, share of the face's gradients that a slight blur takes away, at
            128 px; a face that is enlarged to this size has a low one.
        yaw_deg: positive is turned to the right of the picture.
        pitch_deg: positive is looking down.
        roll_deg: positive is tilted clockwise.
        exposure: 0 to 1, mean luma of the face.
        clipped: 0 to 1, share of the face that is black or white.
        inside: 0 to 1, share of the landmarks that lie in the picture.
    """

    size_px: float
    sharpness: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    exposure: float
    clipped: float
    inside: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Which faces are good enough; units as in `Scores`."""

    min_size_px: float = 48.0
    min_sharpness: float = 0.09
    max_yaw_deg: float = 60.0
    max_pitch_deg: float = 40.0
    max_roll_deg: float = 90.0
    min_exposure: float = 0.08
    max_exposure: float = 0.92
    max_clipped: float = 0.3
    min_inside: float = 0.97

    def problem(self, scores: Scores) -> str | None:
        """In one or two words what is wrong with a face, None if it is good enough."""
        turned = max(
            abs(scores.yaw_deg) / self.max_yaw_deg,
            abs(scores.pitch_deg) / self.max_pitch_deg,
            abs(scores.roll_deg) / self.max_roll_deg,
        )
        found = (
            (scores.size_px < self.min_size_px, "too small"),
            (scores.inside < self.min_inside, "cut off"),
            (turned > 1.0, "turned away"),
            (scores.exposure < self.min_exposure, "too dark"),
            (scores.exposure > self.max_exposure, "too bright"),
            (scores.clipped > self.max_clipped, "clipped"),
            (scores.sharpness < self.min_sharpness, "blurred"),
        )
        return next((problem for applies, problem in found if applies), None)


def measure(image: Image, landmarks: Landmarks) -> tuple[Scores, NDArray[np.uint8]]:
    """Judge a face.

    Args:
        image: (H, W, 3) uint8 BGR frame, not changed.
        landmarks: (478, 2) in its pixels, not all in one place.

    Returns:
        The scores, and a (THUMBNAIL, THUMBNAIL) gray picture of the aligned face.
    """
    matrix = FULL_FACE.frame_to_crop(landmarks, _SIDE)
    gray = cv2.cvtColor(crop(image, matrix, _SIDE), cv2.COLOR_BGR2GRAY)
    hull = np.zeros((_SIDE, _SIDE), np.uint8)
    outline = cv2.convexHull(apply(matrix, landmarks).astype(np.float32))
    cv2.fillConvexPoly(hull, np.rint(outline).astype(np.int32), (1,))
    face = np.asarray(gray, np.uint8)[hull > 0]
    if not face.size:  # landmarks that lie as no face's do
        face = np.zeros(1, np.uint8)
    height, width = image.shape[:2]
    x, y = landmarks.T
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    scores = Scores(
        size_px=_SIDE / float(np.hypot(*matrix[:, 0])),
        sharpness=sharpness(gray.astype(np.float32), hull),
        yaw_deg=yaw_deg(landmarks),
        pitch_deg=pitch_deg(landmarks),
        roll_deg=float(np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0]))),
        exposure=float(face.mean()) / 255,
        clipped=float(((face <= _BLACK) | (face >= _WHITE)).mean()),
        inside=float(inside.mean()),
    )
    thumbnail = cv2.resize(gray, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return scores, np.asarray(thumbnail, np.uint8)


def sharpness(gray: NDArray[np.float32], mask: NDArray[np.uint8]) -> float:
    """Share of a picture's gradients that a slight blur takes away.

    Contrast and brightness cancel out, which a Laplacian's variance depends on.

    Args:
        gray: (H, W), any range.
        mask: (H, W), not 0 where to measure.

    Returns:
        0 (nothing to take away) to 1.

    Source:
        The idea is that of F. Crete et al., "The blur effect: perception and estimation with
        a new no-reference perceptual blur metric", SPIE 6492, 2007; filter and sum are own.
    """
    before = _gradients(gray)[mask > 0].sum()
    after = _gradients(np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.0), np.float32))[mask > 0].sum()
    return float(1.0 - after / before) if before > 0 else 0.0


def _gradients(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    across = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(gray, cv2.CV_32F, 0, 1, ksize=1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def pitch_deg(landmarks: Landmarks) -> float:
    """How far a head nods, from the height of the nose's tip against that of the ears.

    Args:
        landmarks: (478, 2).

    Returns:
        Degrees, positive if looking down; within 2.1 (RMS) of the angle in MediaPipe's
        transformation matrix on 420 portraits of -15 to 16 degrees (own measurement).
    """
    top, chin, nose, left, right = (landmarks[i].astype(np.float64) for i in (10, 152, 1, 234, 454))
    down = chin - top
    height = float(down @ down)
    if height < 1e-9:
        return 0.0
    below = float((nose - (left + right) / 2) @ down) / height
    return float(np.degrees(np.arctan(1.737 * below - 0.1865)))
