"""URLs of screens and the pace of captures, with a desktop made of Python."""

from __future__ import annotations

import time
from itertools import islice
from types import SimpleNamespace
from typing import Any, Self

import mss
import numpy as np
import pytest

from stream.errors import SourceError
from stream.sources import SourceSettings
from stream.sources.screen import ScreenSource, screens

MS = 1_000_000
SETTINGS = SourceSettings(screen_rate_hz=10.0)
MONITORS = [
    {"left": 0, "top": 0, "width": 96, "height": 32},
    {"left": 0, "top": 0, "width": 32, "height": 32, "name": "Left"},
    {"left": 32, "top": -8, "width": 64, "height": 24, "is_primary": True, "output": "DP-2"},
]


class Desktop:
    """Answers as mss does; a pixel tells where it is."""

    monitors = MONITORS
    primary_monitor = MONITORS[2]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def grab(self, region: dict[str, int]) -> Any:
        width, height = region["width"], region["height"]
        if region["left"] + width > 96:
            raise mss.ScreenShotError("BadMatch")
        pixels = np.zeros((height, width, 4), np.uint8)
        pixels[..., 0] = region["left"] + np.arange(width)
        pixels[..., 3] = 255
        return SimpleNamespace(raw=bytearray(pixels.tobytes()), width=width, height=height)


@pytest.fixture(autouse=True)
def desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mss, "MSS", Desktop)


@pytest.mark.parametrize(
    ("url", "size", "left"),
    [
        ("screen", (64, 24), 32),
        ("screen:1", (32, 32), 0),
        ("screen:2", (64, 24), 32),
        ("screen:8,4,16x12", (16, 12), 8),
    ],
)
def test_the_url_chooses_what_is_shown(url: str, size: tuple[int, int], left: int) -> None:
    with ScreenSource(url, SETTINGS) as source:
        frame = next(iter(source))
    assert (source.info.width, source.info.height) == size
    assert frame.image.shape == (size[1], size[0], 3)
    assert frame.image[0, 0].tolist() == [left, 0, 0]
    assert source.info.endless


@pytest.mark.parametrize(
    "url", ["screen:", "screen:0", "screen:left", "screen:1,2", "screen:0,0,0x5", "screens"]
)
def test_other_words_are_refused_with_the_known_ones(url: str) -> None:
    with pytest.raises(SourceError, match=f"{url}: expected screen, screen:2"):
        ScreenSource(url, SETTINGS)


@pytest.mark.parametrize(
    ("url", "message"), [("screen:3", "there are 2"), ("screen:90,0,16x12", "BadMatch")]
)
def test_what_is_not_on_the_desktop_is_refused(url: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        ScreenSource(url, SETTINGS).__enter__()


def test_monitors_are_numbered_from_one() -> None:
    assert [(found.number, found.name, found.primary) for found in screens()] == [
        (1, "Left", False),
        (2, "DP-2", True),
    ]


def test_who_is_slow_misses_pictures_and_hurries_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(ns=9_000 * MS)

    def sleep(seconds: float) -> None:
        now.ns += max(round(seconds * 1e9), 1)

    monkeypatch.setattr(time, "monotonic_ns", lambda: now.ns)
    monkeypatch.setattr(time, "sleep", sleep)
    times_ms = []
    with ScreenSource("screen", SETTINGS) as source:
        for frame in islice(source, 5):
            times_ms.append(frame.pts_ns / MS)
            now.ns += 230 * MS if frame.seq == 1 else 0  # the reader is busy
    assert times_ms == [0, 100, 400, 500, 600]


def test_stopped_it_takes_no_more_pictures() -> None:
    with ScreenSource("screen", SETTINGS) as source:
        frames = iter(source)
        next(frames)
        source.stop()
        assert next(frames, None) is None
