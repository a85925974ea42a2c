"""facestream on the same clip, with the same network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.loops import inversions, pictures
from stream.config import Config, load
from stream.frame import Frame
from stream.pipeline import Pipeline
from stream.run import Run


def file_to_null(clip: str, model: Path, seconds: float, threads: int = 0) -> dict[str, Any]:
    """The program's pipeline over the beginning of a clip, every frame.

    Args:
        clip: what to read.
        model: the network.
        seconds: of the clip.
        threads: the budget that stages share, 0 for all processors; half is the network's.

    Returns:
        Frames per second and, by stage, mean milliseconds of its own thread's processor time.
    """
    options = {
        "source": clip,
        "out": "null",
        "model": str(model),
        "mode": "lossless",
        "device": "cpu",
        "input.duration_s": seconds,
        "threads": threads,
    }
    with Run(load(None, [], options)) as run:
        report = run.pipeline.run()
    stages_ms = {name: stage.cpu_ms_mean for name, stage in report.stages.items()}
    return {"fps": report.fps, "faces_swapped": report.faces_swapped, "stages_cpu_ms": stages_ms}


def live(clip: str, model: Path, seconds: float, rate: float) -> dict[str, Any]:
    """The same pipeline fed in real time; see `benchmarks.peers.loops.futures` for the result."""
    sink = _Ages()
    with Run(Config(source=clip, out=("null",), model=str(model), device="cpu")) as run:
        frames = _paced(clip, int(seconds * rate), rate)
        report = Pipeline(frames, run.stages, {"ages": sink}, live=True).run()
    began_s = sink.seen[0][1]
    return {
        "ages": [(captured_s - began_s, age_ms) for _, captured_s, age_ms in sink.seen],
        "inversions": inversions(number for number, _, _ in sink.seen),
        "dropped": report.dropped,
        "captured": report.frames_in,
    }


def _paced(clip: str, count: int, rate: float) -> Iterator[Frame]:
    began_s = time.monotonic()
    for number, image in enumerate(pictures(clip, count)):
        time.sleep(max(began_s + number / rate - time.monotonic(), 0))
        yield Frame(image, int(number * 1e9 / rate), number, time.monotonic_ns())


class _Ages:
    """A sink that notes number, capture in seconds and age in milliseconds of each frame."""

    leaky = False

    def __init__(self) -> None:
        self.seen: list[tuple[int, float, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, frame: Frame) -> None:
        age_ms = (time.monotonic_ns() - frame.captured_ns) / 1e6
        self.seen.append((frame.seq, frame.captured_ns / 1e9, age_ms))
