"""How many frames a second does the pipeline deliver, and how many could it at most?

The bound is measured, not assumed: as many independent processes as there are processors,
each doing decode, detect, swap and blend one after the other on one thread, share nothing
and never wait for each other. No pipeline on this machine can be faster than all of them
together, nor faster than its slowest stage.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import time
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import click

from benchmarks.machine import describe
from stream.config import Config, load
from stream.run import Run, available_threads

_SPAWN = multiprocessing.get_context("spawn")


@click.command()
@click.argument("clip", default="demo")
@click.option("--repeats", default=5, show_default=True, help="Both sides, in turn.")
@click.option("--model", default="maro", show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def pipeline(clip: str, repeats: int, model: str, device: str, file: Path | None) -> None:
    """Throughput and efficiency of CLIP -> null against independent serial processes."""
    chosen = {"source": clip, "out": "null", "model": model, "mode": "lossless", "device": device}
    config = load(None, [], chosen)
    processes = available_threads()
    rounds = []
    for number in range(repeats):
        report = _in_process(_stream, config)
        ceiling, steps_ms = _serial_ceiling(replace(config, threads=1), processes)
        slowest_fps = 1000 / max(steps_ms.values())
        bound = min(ceiling, slowest_fps)
        rounds.append(
            {
                "fps": report["fps"],
                "serial_processes_fps": ceiling,
                "slowest_stage_fps": slowest_fps,
                "efficiency": report["fps"] / bound,
                "steps_ms": steps_ms,
                "report": report,
            }
        )
        click.echo(
            f"round {number + 1}: {report['fps']:.1f} fps, "
            f"{processes} serial processes {ceiling:.1f} fps, "
            f"efficiency {rounds[-1]['efficiency']:.2f}"
        )
    middle = sorted(rounds, key=lambda entry: entry["fps"])[len(rounds) // 2]
    result = {
        "question": "frames per second from file to null, and its share of the bound",
        "machine": describe(),
        "clip": clip,
        **{
            name: _spread([entry[name] for entry in rounds])
            for name in ("fps", "serial_processes_fps", "slowest_stage_fps", "efficiency")
        },
        "serial_steps_ms": middle["steps_ms"],
        "median_round": middle["report"],
    }
    text = json.dumps(result)
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(text)


def _spread(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def _in_process(function: Any, *arguments: Any) -> Any:
    """A fresh interpreter for each measurement: no warm caches from the one before."""
    with _SPAWN.Pool(1) as pool:
        return pool.apply(function, arguments)


def _stream(config: Config) -> dict[str, Any]:
    with Run(config) as run:
        return run.to_json(run.pipeline.run())


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
        start.wait()
        begin_s = time.perf_counter()
        frames, steps_s = _process_all(run)
        rate = frames / (time.perf_counter() - begin_s)
    results.put((rate, {name: total / frames * 1000 for name, total in steps_s.items()}))


def _process_all(run: Run) -> tuple[int, dict[str, float]]:
    """All frames, one step after the other; seconds spent in each step."""
    steps_s = dict.fromkeys(["capture", *run.stages], 0.0)
    frames = 0
    source = iter(run.source)
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
