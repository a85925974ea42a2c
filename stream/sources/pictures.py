"""Still pictures: one, or a folder of them in natural order."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Self, cast

import cv2
import numpy as np

from engine.face import Image
from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources.interruption import Interruption
from stream.sources.pacing import paced
from stream.sources.settings import SourceSettings
from stream.timebase import to_ns

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Names that are taken for still pictures, in lower case."""

_DIGITS = re.compile(r"(\d+)")


class PictureSource:
    """Pictures as frames at a steady rate; a single one is a source of one frame."""

    info: SourceInfo

    def __init__(self, path: Path, settings: SourceSettings) -> None:
        """Keeps what is needed to open; opens nothing.

        Args:
            path: a picture, or a folder: its pictures are taken in natural order (2 before
                10), hidden files and folders inside are left alone.
            settings: rate, start, duration and pace.
        """
        self._path = path
        self._settings = settings
        self._files: Sequence[Path] = ()
        self._interruption = Interruption()

    def __enter__(self) -> Self:
        rate = max(
            Fraction(self._settings.image_rate_hz).limit_denominator(1001), Fraction(1, 1001)
        )
        self._files = self._wanted(self._list(), rate)
        first = _read(self._files[0])
        if first is None:
            raise SourceError(
                f"{self._files[0]}: not a picture that OpenCV can read: damaged, another kind of "
                "file, or more than 8192x8192 pixels"
            )
        self._first = first
        self.info = SourceInfo(
            url=str(self._path),
            width=first.shape[1],
            height=first.shape[0],
            rate=rate,
            time_base=1 / rate,
            frames=len(self._files),
            live=self._settings.paced,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._files = ()

    def __iter__(self) -> Iterator[Frame]:
        frames = self._frames()
        return paced(frames, self._interruption) if self._settings.paced else frames

    def stop(self) -> None:
        """End waiting for the next picture's time; from any thread, safe in signal handlers."""
        self._interruption.stop()

    def _frames(self) -> Iterator[Frame]:
        damaged: list[Path] = []
        seq = 0
        for place, path in enumerate(self._files):
            image = self._first if place == 0 else _read(path)
            if image is None:
                damaged.append(path)
                continue
            pts_ns = to_ns(place, self.info.time_base)
            yield Frame(image, pts_ns, seq, time.monotonic_ns(), name=path.name)
            seq += 1
        if damaged:
            raise SourceError(
                f"{self._path}: {len(damaged)} of {len(self._files)} pictures cannot be read, "
                f"the first is {damaged[0].name}; all others were used"
            )

    def _list(self) -> list[Path]:
        if not self._path.exists():
            raise SourceError(f"{self._path}: no such file or folder; check the path")
        if not self._path.is_dir():
            return [self._path]
        try:
            names = [path for path in self._path.iterdir() if _is_picture(path)]
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be listed: {error.strerror}") from error
        if not names:
            kinds = ", ".join(sorted(SUFFIXES))
            raise SourceError(f"{self._path}: no pictures in this folder; expected {kinds}")
        return sorted(names, key=natural)

    def _wanted(self, files: list[Path], rate: Fraction) -> Sequence[Path]:
        start = round(self._settings.start_s * rate)
        end = len(files)
        if self._settings.duration_s is not None:
            end = start + max(1, round(self._settings.duration_s * rate))
        if start >= len(files):
            raise SourceError(
                f"{self._path}: nothing left after {self._settings.start_s:g} s, its "
                f"{len(files)} pictures last {float(len(files) / rate):g} s"
            )
        return files[start:end]


def natural(path: Path) -> list[tuple[int, int | str]]:
    """Sort key that puts `frame2` before `frame10`."""
    parts = _DIGITS.split(path.name.lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part]


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _read(path: Path) -> Image | None:
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread fails at non-ASCII names on Windows
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    if not data.size:
        return None
    try:
        return cast("Image | None", cv2.imdecode(data, cv2.IMREAD_COLOR))
    except cv2.error:  # for example more than `engine.MOST_PIXELS`
        return None
