"""Throughput over sizes, numbers of faces, of streams in one process, and kinds of sinks.

Streams of one process share one model session. What a frame costs is all processors' time: wall
time times their number, over the frames of all streams.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.spread import spread
from benchmarks.tiled_clip import DEFAULT, SIZES, Scene, write
from stream.config import load
from stream.pipeline import Pipeline
from stream.processors import available_threads
from stream.report import Report
from stream.run import Run
from stream.shared_models import SharedModels

CHOICES: Final = ("sizes", "faces", "streams", "sinks")
_MOST_FACES: Final = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One cell: streams of a scene, all to the same kind of sink, 'null' or 'file'."""

    scene: Scene = DEFAULT
    streams: int = 1
    sink: str = "null"

    def __str__(self) -> str:
        plural = "s" if self.streams > 1 else ""
        return f"{self.scene}, {self.streams} stream{plural}, {self.sink}"


def cases(only: Iterable[str], streams: int) -> list[Case]:
    """The cells that are asked for, each once; the single 720p stream comes first.

    Args:
        only: of `CHOICES`.
        streams: measure 1, 2, 4 and so on up to this many.
    """
    wanted = set(only)
    doubled = [count for count in (1, 2, 4, 8, 16, 32) if count <= streams]
    chosen = [Case()]
    chosen += [Case(Scene(size, 1)) for size in SIZES if "sizes" in wanted]
    chosen += [Case(Scene("720p", n + 1)) for n in range(_MOST_FACES) if "faces" in wanted]
    chosen += [Case(streams=count) for count in doubled if "streams" in wanted]
    chosen += [Case(Scene(size, 1), sink="file") for size in SIZES if "sinks" in wanted]
    return list(dict.fromkeys(chosen))


def measure(
    chosen: Iterable[Case],
    settings: dict[str, Any],
    seconds: float,
    repeats: int,
    apart: Callable[..., Any],
) -> dict[str, Any]:
    """Measure cells in turn, so that a busy moment strikes all of them.

    Args:
        chosen: the cells.
        settings: options of the runs, such as model and device.
        seconds: length of the clip.
        repeats: of each cell.
        apart: runs a function in a process of its own.

    Returns:
        By cell: "fps" of all its streams together, "frame_ms" of all processors, both spreads;
        "frames", "dropped", "models_loaded"; "cost" of a frame over one of the first cell.
    """
    chosen = list(chosen)
    rounds: dict[Case, list[dict[str, Any]]] = {case: [] for case in chosen}
    with tempfile.TemporaryDirectory() as folder:
        for case in chosen:
            write(Path(folder), case.scene, seconds)
        for _ in range(repeats):
            for case in chosen:
                rounds[case].append(apart(run, case, settings, seconds, Path(folder)))
    single = spread([one["frame_ms"] for one in rounds[chosen[0]]])["median"]
    return {
        str(case): {
            "fps": spread([one["fps"] for one in measured]),
            "frame_ms": spread([one["frame_ms"] for one in measured]),
            "cost": spread([one["frame_ms"] / single for one in measured]),
            **{key: measured[-1][key] for key in ("frames", "dropped", "faces", "models_loaded")},
        }
        for case, measured in rounds.items()
    }


def run(case: Case, settings: dict[str, Any], seconds: float, folder: Path) -> dict[str, Any]:
    """Run one cell once, in this process."""
    clip, models = write(folder, case.scene, seconds), SharedModels()
    processors = available_threads()
    chosen = {"source": str(clip), "mode": "lossless", **settings}
    config = load(None, [], {**chosen, "threads": max(processors // case.streams, 1)})
    config = replace(config, track=replace(config.track, max_faces=case.scene.faces))
    with ExitStack() as opened:
        pipelines = []
        for number in range(case.streams):
            out = "null" if case.sink == "null" else str(folder / f"out_{number}.mp4")
            one = Run(replace(config, out=(out,)), load_model=models)
            pipelines.append(opened.enter_context(one).pipeline)
        began_s = time.perf_counter()
        reports = _all_at_once(pipelines)
        wall_s = time.perf_counter() - began_s
    frames = sum(report.frames_out for report in reports)
    return {
        "fps": frames / wall_s,
        "frame_ms": wall_s * processors / frames * 1e3,
        "frames": frames,
        "dropped": sum(report.dropped for report in reports),
        "faces": sum(report.faces_swapped for report in reports) / frames,
        "models_loaded": models.count,
    }


def _all_at_once(pipelines: list[Pipeline]) -> list[Report]:
    reports: list[Report] = []
    failures: list[BaseException] = []

    def work(pipeline: Pipeline) -> None:
        try:
            reports.append(pipeline.run())
        except BaseException as error:  # noqa: BLE001 - raised below, by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=work, args=(pipeline,)) for pipeline in pipelines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return reports
