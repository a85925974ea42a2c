"""What a stored face looks like: its geometry and its file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import apply, crop
from engine.face import Image, Landmarks, Matrix
from export import dataset
from export.errors import ExtractionError
from export.replacing import replacing

SPAN: Final = 256 / 160
"""Side of a stored crop in units of the alignment's unit square, which is centered.

Training without pairs cuts 160 of 256 pixels out, after turning and shifting them: with this
margin it sees what the stream will cut out, and never the crop's border.
"""

_LONGEST_SIDE = 16384  # OpenCV cuts crops out of pictures of up to 32767 pixels a side


def fit(image: Image) -> Image:
    """Halve a picture until OpenCV can cut crops out of it.

    Args:
        image: (H, W, 3) uint8, not changed.

    Returns:
        The picture itself if no side is longer than 16384 pixels.
    """
    while max(image.shape[:2]) > _LONGEST_SIDE:
        height, width = image.shape[:2]
        half = max(width // 2, 1), max(height // 2, 1)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def frame_to_stored(landmarks: Landmarks, size: int) -> Matrix:
    """(2, 3) map from frame pixels to pixels of the stored `size` x `size` crop."""
    return dataset.frame_to_stored(landmarks, size=size, span=SPAN)


def cut(image: Image, landmarks: Landmarks, size: int) -> Image:
    """Cut a face out of a frame.

    Args:
        image: (H, W, 3) uint8 BGR, not changed.
        landmarks: (478, 2) in its pixels.
        size: side of the crop.

    Returns:
        (size, size, 3) uint8 BGR; beyond the frame's border its edge pixels repeat.
    """
    return crop(image, frame_to_stored(landmarks, size), size)


def stored_landmarks(landmarks: Landmarks) -> NDArray[np.float64]:
    """(478, 2) landmarks in units of the stored crop's side, 0 and 1 at its edges."""
    return apply(frame_to_stored(landmarks, 1), landmarks) + 0.5


def write_picture(path: Path, image: Image) -> None:
    """Write a PNG file; a reader sees the old file or the whole new one.

    Raises:
        ExtractionError: it cannot be written; what was there before still is.
    """
    replace_file(path, cv2.imencode(".png", image)[1].tobytes())


def replace_file(path: Path, data: bytes) -> None:
    """Write a file; a reader sees the old one or the whole new one.

    Raises:
        ExtractionError: it cannot be written; what was there before still is.
    """
    try:
        with replacing(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise ExtractionError(
            f"{path}: cannot be written: {error.strerror or error}; what was there before is "
            "kept, run the same command again to go on"
        ) from error
