"""How many frames a second does the pipeline deliver, and how many could it at most?

The bound is measured, not assumed: as many independent processes as there are processors,
each doing decode, detect, swap and blend one after the other on one thread, share nothing
and never wait for each other. No pipeline on this machine can be faster than all of them
together, nor faster than its slowest stage.

Neither side's first frames count: there faces are searched for, and a pipeline fills.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import click

from benchmarks import pipeline_matrix
from benchmarks.machine import describe
from benchmarks.spread import spread
from stream.config import Config, load
from stream.frame import Frame
from stream.processors import available_threads
from stream.report import Report
from stream.run import Run

_SPAWN = multiprocessing.get_context("spawn")
_WARM_UP = 30
"""Frames; a second of the demo."""


@click.command()
@click.argument("clip", default="demo")
@click.option("--repeats", default=5, show_default=True, help="All sides, in turn.")
@click.option("--model", default="maro", show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--matrix",
    multiple=True,
    type=click.Choice(pipeline_matrix.CHOICES),
    help="Measure throughput over these in place of CLIP's efficiency; repeatable.",
)
@click.option("--streams", default=4, show_default=True, help="At most, in one process.")
@click.option("--seconds", default=4.0, show_default=True, help="Of each clip of the matrix.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Update this result.")
def pipeline(  # noqa: PLR0913, PLR0917 - one parameter for each option
    clip: str,
    repeats: int,
    model: str,
    device: str,
    matrix: tuple[str, ...],
    streams: int,
    seconds: float,
    file: Path | None,
) -> None:
    """Throughput of CLIP -> null and its share of the bound; or over a matrix of settings."""
    result = {
        "question": "frames per second from file to null, and its share of the bound",
        "machine": describe(),
        "settings": {"model": model, "device": device, "repeats": repeats},
    }
    if matrix:
        cases = pipeline_matrix.cases(matrix, streams)
        settings = {"model": model, "device": device}
        cells = pipeline_matrix.measure(cases, settings, seconds, repeats, _in_process)
        for name, cell in cells.items():
            click.echo(f"{name}: {cell['fps']['median']:.1f} fps", err=True)
        result["matrix"] = cells
    else:
        result |= _efficiency(clip, repeats, model, device)
    if file is not None:
        result = updated(file, result)
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps(result))


def updated(file: Path, result: dict[str, Any]) -> dict[str, Any]:
    """The result in a file, with what was measured now in place of the same figures."""
    if not file.exists():
        return result
    earlier: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    cells = {**earlier.get("matrix", {}), **result.get("matrix", {})}
    return {**earlier, **result, **({"matrix": cells} if cells else {})}


def _efficiency(clip: str, repeats: int, model: str, device: str) -> dict[str, Any]:
    chosen = {"source": clip, "out": "null", "model": model, "mode": "lossless", "device": device}
    config = load(None, [], chosen)
    processes = available_threads()
    rounds = []
    for number in range(repeats):
        report = _in_process(_stream, config)
        fps = report["steady_fps"]
        ceiling, steps_ms = _serial_ceiling(replace(config, threads=1), processes)
        slowest_fps = 1000 / max(steps_ms.values())
        bound = min(ceiling, slowest_fps)
        rounds.append(
            {
                "fps": fps,
                "serial_processes_fps": ceiling,
                "slowest_stage_fps": slowest_fps,
                "efficiency": fps / bound,
                "steps_ms": steps_ms,
                "report": report,
            }
        )
        click.echo(
            f"round {number + 1}: {fps:.1f} fps, "
            f"{processes} serial processes {ceiling:.1f} fps, "
            f"efficiency {rounds[-1]['efficiency']:.2f}",
            err=True,
        )
    middle = sorted(rounds, key=lambda entry: entry["fps"])[len(rounds) // 2]
    return {
        "clip": clip,
        **{
            name: spread([entry[name] for entry in rounds])
            for name in ("fps", "serial_processes_fps", "slowest_stage_fps", "efficiency")
        },
        "serial_steps_ms": middle["steps_ms"],
        "median_round": middle["report"],
    }


def _in_process(function: Any, *arguments: Any) -> Any:
    """A fresh interpreter for each measurement: no warm caches from the one before."""
    with _SPAWN.Pool(1) as pool:
        return pool.apply(function, arguments)


def _stream(config: Config) -> dict[str, Any]:
    warm: list[Report] = []

    def watch(report: Report) -> None:
        if not warm and report.frames_out >= _WARM_UP:
            warm.append(report)

    with Run(config) as run:
        last = run.pipeline.run(watch, watch_every_s=0.05)
        if not warm or last.frames_out == warm[0].frames_out:
            raise click.ClickException(
                f"{config.source} has {last.frames_out} frames; expected a clip of more than "
                f"{_WARM_UP}, best of ten seconds"
            )
        begin = warm[0]
        fps = (last.frames_out - begin.frames_out) / (last.wall_s - begin.wall_s)
        return run.to_json(last) | {"steady_fps": fps}


def _serial_ceiling(config: Config, processes: int) -> tuple[float, dict[str, float]]:
    """Independent serial processes.

    Returns:
        Their frames per second together, and the mean milliseconds of each step in one.
    """
    start = _SPAWN.Barrier(processes)
    results = _SPAWN.Queue()
    workers = [
        _SPAWN.Process(target=_serial, args=(config, start, results)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    measured: list[tuple[float, dict[str, float]]] = [results.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    return sum(rate for rate, _ in measured), measured[0][1]


def _serial(config: Config, start: Barrier, results: Any) -> None:
    with Run(config) as run:
        source = iter(run.source)
        start.wait()
        _process(run, itertools.islice(source, _WARM_UP))
        begin_s = time.perf_counter()
        frames, steps_s = _process(run, source)
        rate = frames / (time.perf_counter() - begin_s)
    results.put((rate, {name: total / frames * 1000 for name, total in steps_s.items()}))


def _process(run: Run, source: Iterator[Frame]) -> tuple[int, dict[str, float]]:
    """All frames, one step after the other; seconds spent in each step."""
    steps_s = dict.fromkeys(["capture", *run.stages], 0.0)
    frames = 0
    while True:
        begin_s = time.perf_counter()
        frame = next(source, None)
        steps_s["capture"] += time.perf_counter() - begin_s
        if frame is None:
            return frames, steps_s
        frames += 1
        for name, stage in run.stages.items():
            begin_s = time.perf_counter()
            frame = stage(frame) if frame else None
            steps_s[name] += time.perf_counter() - begin_s
