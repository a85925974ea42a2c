from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, str(ROOT / "run_stream.py")]
DEMO = Path(str(resources.files("stream") / "bundled" / "demo.mp4"))

RunProgram = Callable[..., subprocess.CompletedProcess[str]]


class Content(NamedTuple):
    """What a video file holds.

    Attributes:
        times: presentation times of its frames in seconds.
        sizes: (width, height) of all of them.
        audio: its compressed audio packets in order.
        audio_times: their times in seconds.
    """

    times: list[Fraction]
    sizes: set[tuple[int, int]]
    audio: list[bytes]
    audio_times: list[Fraction]


def read_video(path: Path) -> Content:
    with av.open(str(path)) as container:
        times: list[Fraction] = []
        sizes: set[tuple[int, int]] = set()
        for frame in container.decode(video=0):
            times.append(frame.pts * Fraction(str(frame.time_base)))
            sizes.add((frame.width, frame.height))
    audio: list[bytes] = []
    audio_times: list[Fraction] = []
    with av.open(str(path)) as container:
        if container.streams.audio:
            for packet in container.demux(audio=0):
                if packet.size:
                    audio.append(bytes(packet))
                    audio_times.append(packet.pts * Fraction(str(packet.time_base)))
    return Content(times, sizes, audio, audio_times)


def read_pictures(path: Path, begin: int = 0, end: int | None = None) -> list[np.ndarray]:
    """Some frames of a video file, (H, W, 3) uint8 BGR; a whole clip is large."""
    with av.open(str(path)) as container:
        chosen = itertools.islice(container.decode(video=0), begin, end)
        return [frame.to_ndarray(format="bgr24") for frame in chosen]


@pytest.fixture
def program(tmp_path: Path) -> RunProgram:
    """Run the command line in an empty folder."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def demo() -> Content:
    return read_video(DEMO)
