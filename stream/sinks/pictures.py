"""Pictures: how they are written, and the one that shows the swap best."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Self

import cv2

from engine.face import Image
from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.marking import xmp
from stream.sinks.settings import SinkSettings
from stream.sinks.target import check_target

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""Names that are taken for pictures, in lower case."""

_PNG_LEVEL = 1  # a third of the time of the default level for files a tenth larger


class StillSink:
    """Writes one picture at the end: the frame with the best view of a swapped face.

    That is the largest face, discounted as it turns away; without any face the last frame.
    """

    leaky = False

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        settings: SinkSettings,
        compose: Callable[[Frame], Image] = lambda frame: frame.image,
    ) -> None:
        """Keeps what is needed to open; does no I/O.

        Args:
            path: ends in one of `SUFFIXES`; replaced if it exists.
            info: to keep from overwriting the source.
            settings: picture quality.
            compose: makes the picture of the chosen frame; the frame is not changed.

        Raises:
            SinkError: no known kind of picture.
        """
        check_suffix(path)
        self._path = path
        self._info = info
        self._settings = settings
        self._compose = compose
        self._best: Frame | None = None
        self._best_view = 0.0

    def __enter__(self) -> Self:
        check_target(self._path, self._info)
        return self

    def write(self, frame: Frame) -> None:
        """Remembers the frame if none before it was better; writes nothing yet."""
        view = best_view(frame)
        if self._best is None or view > self._best_view or self._best_view == 0.0:
            self._best, self._best_view = frame, view

    def __exit__(self, *_: object) -> None:
        frame, self._best = self._best, None
        if frame is not None:
            save(self._path, self._compose(frame), self._settings.image_quality)


def best_view(frame: Frame) -> float:
    """Area in square pixels of the largest swapped face as seen from the front, 0 if none.

    Measured on the crop, which does not grow when the mouth opens.
    """
    views = [0.0]
    for face in frame.faces:
        if face.swap is not None:
            crop_px_per_px = math.hypot(*face.swap.frame_to_crop[:, 0])
            side_px = face.swap.image.shape[0] / max(crop_px_per_px, 1e-6)
            views.append((side_px * max(0.0, math.cos(math.radians(face.yaw_deg)))) ** 2)
    return max(views)


def save(path: Path, image: Image, quality: int) -> None:
    """Writes a picture in the format that its name asks for; its metadata says it is synthetic.

    Args:
        path: ends in one of `SUFFIXES`.
        image: (H, W, 3) uint8 BGR.
        quality: of JPEG and WebP, 1 to 100.

    Raises:
        SinkError: the format cannot hold the picture, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    # Only what the format knows: OpenCV complains of the rest.
    if suffix == ".png":
        parameters = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]
    elif suffix == ".webp":
        parameters = [cv2.IMWRITE_WEBP_QUALITY, quality]
    else:
        parameters = [cv2.IMWRITE_JPEG_QUALITY, quality]
    try:
        ok, data = xmp.encode(suffix, image, parameters)
    except cv2.error:
        ok = False
    if not ok:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise SinkError(f"{path}: {path.suffix} cannot hold a picture of {size}; use .png")
    try:
        path.write_bytes(data.data)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written: {error.strerror}") from error


def check_suffix(path: Path) -> None:
    """Makes sure that `save` knows the kind of picture that a path names.

    Raises:
        SinkError: it does not.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SinkError(
            f"{path}: unknown kind of picture '{path.suffix}'; expected one of "
            f"{', '.join(SUFFIXES)}"
        )
