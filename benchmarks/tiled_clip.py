"""Clips of any size with any number of faces, made of the bundled demo: its head, tiled."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from engine.face import Image
from stream.frame import SourceInfo
from stream.sinks import SinkSettings, open_sink
from stream.sources import SourceSettings, open_source
from stream.timebase import NS_PER_S

SIZES: Final = {
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "4K": (3840, 2160),
}
"""Width and height in pixels."""

_HEAD: Final = (0.5, 0.45)
"""Center of the demo's head, as shares of its width and height."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a clip shows.

    Attributes:
        size: one of `SIZES`.
        faces: heads beside each other, 1 to 4.
    """

    size: str = "720p"
    faces: int = 1

    def __str__(self) -> str:
        return f"{self.size}, {self.faces} face{'s' if self.faces > 1 else ''}"


DEFAULT: Final = Scene()


def tile(image: Image, scene: Scene) -> Image:
    """The demo's picture as the scene wants it: the head as often as there are faces.

    Args:
        image: (H, W, 3) of the demo, not changed.
        scene: size and number of heads.
    """
    width, height = SIZES[scene.size]
    if scene.faces == 1:
        return _scaled(image, width, height)
    edges = np.linspace(0, width, scene.faces + 1).round().astype(int)
    return np.hstack(
        [_head(image, int(right - left), height) for left, right in itertools.pairwise(edges)]
    )


def _head(image: Image, width: int, height: int) -> Image:
    rows, columns = image.shape[:2]
    part = min(round(rows * width / height), columns)
    left = min(max(round(columns * _HEAD[0] - part / 2), 0), columns - part)
    return _scaled(image[:, left : left + part], width, height)


def _scaled(image: Image, width: int, height: int) -> Image:
    # OpenCV's type stubs do not tell that the type stays.
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def write(folder: Path, scene: Scene, seconds: float, rate: int = 25) -> Path:
    """Write a clip; the same every time.

    Args:
        folder: gets the file.
        scene: what it shows.
        seconds: of the demo, which has 25 pictures a second.
        rate: pictures a second of the clip; others than 25 make it faster.

    Returns:
        An MP4 file in the folder; one that is there is taken as it is.
    """
    path = folder / f"{scene.size}_{scene.faces}_{seconds:g}_{rate}.mp4"
    if path.exists():
        return path
    width, height = SIZES[scene.size]
    unfinished = path.with_stem(f"{path.stem}.part")
    with open_source("demo", SourceSettings(duration_s=seconds, audio=False)) as source:
        info = SourceInfo(str(path), width, height, Fraction(rate))
        with open_sink(str(unfinished), info, SinkSettings(crf=20)) as sink:
            for number, frame in enumerate(source):
                pts_ns = number * NS_PER_S // rate
                sink.write(replace(frame, image=tile(frame.image, scene), pts_ns=pts_ns))
    unfinished.replace(path)
    return path
