"""The invisible mark: a faint pattern in the swapped faces that survives encoders and resizing.

A band of noise, drawn once from a fixed seed, is added to the blue difference (Cb) of each swapped
face at its place in the aligned face. There the eye sees least, and skin has little detail of its
own. The pattern moves, turns and grows with the face: encoders that follow motion carry it along,
and whoever finds the face again finds the pattern, at whatever size.
Own design on the classic idea: I. J. Cox et al., "Secure spread spectrum watermarking for
multimedia", IEEE Transactions on Image Processing 6(12), 1997.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine import align
from engine.align import FULL_FACE
from engine.compiled import compiled
from engine.face import Face, Image, Mask, Matrix
from engine.paste import Patch

Float = NDArray[np.float32]

LOW, HIGH = 8, 24
"""The pattern's band, in periods per side of the aligned crop. Below, faces differ too much from
each other; above, encoders leave nothing of it in a picture of half the size."""

SIDE = 512
"""Of the pattern's table; a power of two."""

STRENGTH = 1.3
"""Standard deviation of Cb in levels of 255, where the swapped face is opaque."""

_SEED = 20_260_802
_SLOPE = 0.5  # the spectrum falls like that of pictures, which hides it
_LARGEST = 2.5
_BLUE, _GREEN = 1.772, -0.344  # levels for one of Cb: luma and Cr keep their values


def pattern(side: int, seed: int = _SEED) -> Float:
    """The pattern over the aligned crop's unit square.

    Args:
        side: of the table; the pattern is the same at every side, sampled finer or coarser.
        seed: another number gives another pattern, as alike as two of noise.

    Returns:
        (side, side) float32, periodic, mean 0, standard deviation about 1.
    """
    random = np.random.default_rng(seed)
    spectrum = np.zeros((side, side), np.complex128)
    reach = np.arange(-HIGH, HIGH + 1)
    distance = np.hypot(reach[:, None], reach)
    phases = random.standard_normal(distance.shape) + 1j * random.standard_normal(distance.shape)
    inside = (distance >= LOW) & (distance <= HIGH)
    weights = np.where(inside, np.maximum(distance, LOW) ** -_SLOPE, 0)
    spectrum[reach[:, None], reach] = phases * weights
    drawn = np.real(np.fft.ifft2(spectrum)) * side * side
    scale = math.sqrt(float((weights**2).sum()))
    return np.clip(drawn / scale, -_LARGEST, _LARGEST).astype(np.float32)


@compiled
def _add(region: Image, alpha: Mask, to_table: Matrix, table: Float, strength: np.float32) -> None:
    last = table.shape[0] - 1
    half, opaque, white = np.float32(0.5), np.float32(1), np.float32(255)
    for y in range(region.shape[0]):
        u0 = to_table[0, 1] * y + to_table[0, 2]
        v0 = to_table[1, 1] * y + to_table[1, 2]
        for x in range(region.shape[1]):
            share = min(alpha[y, x], opaque)
            if share <= 0:
                continue
            column = math.floor(u0 + to_table[0, 0] * x) & last
            row = math.floor(v0 + to_table[1, 0] * x) & last
            change = strength * share * table[row, column]
            blue = region[y, x, 0] + np.float32(_BLUE) * change + half
            green = region[y, x, 1] + np.float32(_GREEN) * change + half
            region[y, x, 0] = np.uint8(min(max(blue, np.float32(0)), white))
            region[y, x, 1] = np.uint8(min(max(green, np.float32(0)), white))


class Watermark:
    """Adds the pattern to the swapped faces of a stream; for use by one thread."""

    def __init__(self, strength: float = STRENGTH) -> None:
        """Make the pattern, and compile or load the loop that adds it.

        Args:
            strength: standard deviation of Cb, in levels of 255.
        """
        self._table = pattern(SIDE)
        self._strength = np.float32(strength)
        frame = np.zeros((2, 4, 3), np.uint8)
        unseen = Patch(np.zeros((2, 2, 4), np.float32), 0, 0)
        self._mark(frame, unseen, np.eye(2, 3))

    def __call__(self, image: Image, faces: Sequence[Face], patches: Mapping[int, Patch]) -> int:
        """Mark each face that was put into the picture, as far as it is opaque.

        Args:
            image: (H, W, 3) uint8 BGR, changed in place where a patch's alpha is above 0.
            faces: in this picture.
            patches: what was put in, by track (`engine.blend.Blender.patches`).

        Returns:
            How many faces were marked.
        """
        marked = 0
        for face in faces:
            patch = patches.get(face.track)
            frame_to_table = FULL_FACE.frame_to_crop(face.landmarks, SIDE)
            if patch is not None and np.isfinite(frame_to_table).all():
                self._mark(image, patch, frame_to_table)
                marked += 1
        return marked

    def _mark(self, image: Image, patch: Patch, frame_to_table: Matrix) -> None:
        to_table = frame_to_table.copy()
        # The table's nearest sample is the floor of what is half a sample further.
        to_table[:, 2] = align.apply(frame_to_table, np.array([[patch.left, patch.top]]))[0] + 0.5
        _add(patch.region(image), patch.alpha, to_table, self._table, self._strength)
