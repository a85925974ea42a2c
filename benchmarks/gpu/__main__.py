"""`python -m benchmarks.gpu`: everything that only a GPU can show, within a budget of time."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from benchmarks import pipeline_matrix
from benchmarks.gpu import goals, network, streams
from benchmarks.gpu.plot import draw
from benchmarks.machine import describe
from benchmarks.spread import spread
from benchmarks.stages import WARM_UP, one_pass
from benchmarks.tiled_clip import Scene, write
from engine.errors import EngineError
from engine.models import model_path
from engine.reports_home import lead_nowhere
from engine.session import DEVICES, Device
from stream.config import load
from stream.run import Run

_SPAWN = multiprocessing.get_context("spawn")
_WHOLE_DEMO_S: Final = 11.0


@click.command()
@click.option("--device", type=click.Choice(DEVICES), default="cuda", show_default=True)
@click.option("--model", default="maro", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--runs", default=100_000, show_default=True, help="Of the network, for its memory.")
@click.option("--budget", "budget_s", default=480.0, show_default=True, help="Seconds for all.")
@click.option("--quick", is_flag=True, help="A tenth of everything: proves that the script works.")
def main(device: Device, model: str, out: Path, runs: int, budget_s: float, *, quick: bool) -> None:  # noqa: PLR0913
    """Measure a device and write gpu.json and gpu.png into OUT."""
    lead_nowhere()
    out.mkdir(parents=True, exist_ok=True)
    ends_s = time.monotonic() + budget_s
    scale = 0.1 if quick else 1.0
    result: dict[str, Any] = {
        "question": "what a GPU makes of it",
        "machine": describe(),
        "settings": {"device": device, "model": model, "quick": quick},
    }
    path = model_path(model)
    batches = network.BATCHES[::4] if quick else network.BATCHES
    # What matters most comes first: the budget may end before the list does.
    parts: dict[str, Callable[[], Any]] = {
        "proof": lambda: network.proof(path, device),
        "batches": lambda: network.sweep(path, device, batches, 30 * scale, graphs=True),
        "batches_without_graphs": lambda: network.sweep(
            path, device, batches, 15 * scale, graphs=False
        ),
        "batches_in_float32": lambda: network.sweep(
            path, device, batches, 15 * scale, graphs=True, half=False
        ),
        "streams": lambda: streams.measure(
            path, device, streams.STREAMS[: 2 if quick else None], 20 * scale
        ),
        "pipeline": lambda: _pipeline(device, model, quick=quick),
        "live": lambda: _live(device, model, out),
        "memory": lambda: network.soak(
            path, device, round(runs * (0.002 if quick else 1)), 150 * scale
        ),
        "stages": lambda: _stages(device, model, out, quick=quick),
    }
    if device != "cuda":
        del parts["batches_without_graphs"], parts["batches_in_float32"]
    for name, part in parts.items():
        if time.monotonic() > ends_s:
            result[name] = {"left_out": f"{budget_s:g} s were over"}
            continue
        began_s = time.monotonic()
        try:
            result[name] = part()
        except EngineError as error:
            result[name] = {"failed": str(error)}
        click.echo(f"{name}: {time.monotonic() - began_s:.0f} s", err=True)
        (out / "gpu.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    result["goals"] = goals.judge(result)
    (out / "gpu.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    draw(result, out / "gpu.png")
    for goal in result["goals"]:
        click.echo(f"{goal['verdict']:>7}  {goal['goal']}: {goal['measured']}", err=True)
    click.echo(json.dumps(result))


def _in_process(function: Any, *arguments: Any) -> Any:
    with _SPAWN.Pool(1) as pool:
        return pool.apply(function, arguments)


def _pipeline(device: Device, model: str, *, quick: bool) -> dict[str, Any]:
    cases = [
        pipeline_matrix.Case(Scene("720p", 1)),
        pipeline_matrix.Case(Scene("1080p", 1)),
        pipeline_matrix.Case(Scene("1080p", 1), streams=2 if quick else 4),
    ]
    if not quick:
        cases += [
            pipeline_matrix.Case(Scene("4K", 1)),
            pipeline_matrix.Case(Scene("720p", 4)),
            pipeline_matrix.Case(Scene("1080p", 1), sink="file"),
        ]
    settings = {"model": model, "device": device}
    seconds, repeats = (1.0, 1) if quick else (8.0, 2)
    return pipeline_matrix.measure(cases, settings, seconds, repeats, _in_process)


def _live(device: Device, model: str, folder: Path) -> dict[str, Any]:
    """1080p at 60 pictures a second, paced as a camera: what is dropped, how old frames are."""
    clip = write(folder, Scene("1080p", 1), _WHOLE_DEMO_S, rate=60)
    chosen = {"source": str(clip), "out": "null", "mode": "live", "model": model, "device": device}
    with Run(load(None, [], chosen)) as run:
        report = run.to_json(run.pipeline.run())
    clip.unlink()
    return {
        **{key: report[key] for key in ("frames_in", "frames_out", "dropped", "failed", "device")},
        "age_ms": report["age_ms"],
    }


def _stages(device: Device, model: str, folder: Path, *, quick: bool) -> dict[str, Any]:
    scenes = [Scene("720p", 1)] if quick else [Scene("1080p", 1), Scene("1080p", 4)]
    repeats, frames = (1, 10) if quick else (3, 60)
    result = {}
    for scene in scenes:
        clip = write(folder, scene, (frames + WARM_UP) / 25)
        passes = [one_pass(clip, scene, model, device, folder) for _ in range(repeats)]
        clip.unlink()
        result[str(scene)] = {
            name: spread([one["ms"][name] for one in passes]) for name in passes[0]["ms"]
        }
    with contextlib.suppress(FileNotFoundError):
        (folder / "encoded.mp4").unlink()
    return result


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.gpu")
