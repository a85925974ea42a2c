"""The README's performance block and plots, from committed results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from benchmarks import stages_plot

_BEGIN, _END = "<!-- performance -->", "<!-- /performance -->"


@click.command()
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--readme", type=click.Path(exists=True, path_type=Path), help="Update this file.")
@click.option(
    "--plots", type=click.Path(file_okay=False, path_type=Path), help="Draw into this folder."
)
def table(results: Path, readme: Path | None, plots: Path | None) -> None:
    """Print pipeline.json, stages.json and gpu.json of the folder RESULTS as Markdown."""
    measured = {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for name in ("pipeline", "stages", "gpu")
        if (file := results / f"{name}.json").exists()
    }
    text = markdown(measured)
    click.echo(text)
    if readme is not None:
        before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
        _, separator, after = rest.partition(_END)
        if not separator:
            raise click.ClickException(f"{readme}: no {_BEGIN} ... {_END} to replace")
        readme.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")
    if plots is not None:
        if "pipeline" in measured:
            _draw(measured["pipeline"], plots / "pipeline.png")
        if "stages" in measured:
            stages_plot.draw(measured["stages"], plots / "stages.png")


def markdown(measured: dict[str, dict[str, Any]]) -> str:
    """All that was measured; a result that is not there is left out, but a GPU is mentioned."""
    parts = []
    if "pipeline" in measured:
        parts.append(_efficiency(measured["pipeline"]))
        parts.append(_matrix(measured["pipeline"].get("matrix", {})))
    if "stages" in measured:
        parts.append(_stages(measured["stages"]))
    parts.append(_gpu(measured["gpu"]) if "gpu" in measured else _NO_GPU)
    return "\n\n".join(part for part in parts if part)


_NO_GPU = (
    "No figure here is of a GPU. `benchmarks/gpu/run.sh` measures one in less than nine minutes; "
    "so far it has only been run with `--device cpu --quick`."
)


def _efficiency(measured: dict[str, Any]) -> str:
    machine, report = measured["machine"], measured["median_round"]
    rows = [
        "| stage | ms a frame, in a serial process | busy ms p50, in the pipeline | p95 |",
        "| --- | ---: | ---: | ---: |",
    ]
    rows += [
        f"| {name} | {alone_ms:.1f} | {report['stages'][name]['busy_ms_p50']:.1f} "
        f"| {report['stages'][name]['busy_ms_p95']:.1f} |"
        for name, alone_ms in measured["serial_steps_ms"].items()
    ]
    fps, bound = measured["fps"], measured["serial_processes_fps"]
    efficiency = measured["efficiency"]
    summary = (
        f"**{fps['median']:.0f} fps** ({fps['min']:.0f} to {fps['max']:.0f}) for "
        f"`{measured['clip']}` at 720p with one face, file to null, on {machine['threads']} "
        f"processors ({machine['processor']}, no GPU), {machine['date']}. Independent serial "
        f"processes that share nothing reach {bound['median']:.0f} fps together: the "
        f"pipeline delivers **{efficiency['median']:.0%}** of the bound."
    )
    return "\n".join([summary, "", *rows])


def _matrix(cells: dict[str, Any]) -> str:
    if not cells:
        return ""
    rows = [
        "| what | fps, all streams | cost of a frame |",
        "| --- | ---: | ---: |",
    ]
    rows += [
        f"| {name} | {_spread(cell['fps'])} | {cell['cost']['median']:.2f} |"
        for name, cell in cells.items()
    ]
    says = (
        "Sizes, faces, streams in one process with one shared model, and files. Cost is all "
        "processors' time a frame, over that of one 720p stream in the same run."
    )
    return "\n".join([says, "", *rows])


def _stages(measured: dict[str, Any]) -> str:
    scenes = measured["scenes"]
    names = list(next(iter(scenes.values()))["stages"])
    rows = [
        f"| ms alone (bound) | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]
    rows += [
        f"| {scene} | "
        + " | ".join(
            f"{stage['ms']['median']:.1f} ({stage['bound_ms']:.2g})"
            for stage in cell["stages"].values()
        )
        + " |"
        for scene, cell in scenes.items()
    ]
    roof = measured["roof"]
    says = (
        "Each stage alone on one thread. The bound is what its bytes, each read or written once, "
        f"take at the {roof['bytes_per_s'] / 1e9:.0f} GB/s, and its network at the "
        f"{roof['macs_per_s'] / 1e9:.0f} GMAC/s that this machine was measured to do; the "
        "arithmetic of codecs and of MediaPipe's networks is in none of them."
    )
    return "\n".join([says, "", *rows])


def _gpu(measured: dict[str, Any]) -> str:
    rows = ["| on a GPU | measured | |", "| --- | ---: | --- |"]
    rows += [
        f"| {goal['goal']} | {goal['measured']} | {goal['verdict']} |" for goal in measured["goals"]
    ]
    return "\n".join(rows)


def _spread(values: dict[str, float]) -> str:
    return f"{values['median']:.1f} ({values['min']:.1f} to {values['max']:.1f})"


def _draw(measured: dict[str, Any], file: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    steps_ms = measured["serial_steps_ms"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), width_ratios=(3, 2))
    names = list(steps_ms)[::-1]
    left.barh(names, [steps_ms[name] for name in names], color="#4477aa")
    left.set_xlabel("ms a frame, one stage after the other")
    sides = {
        "pipeline": measured["fps"],
        "serial processes\n(bound)": measured["serial_processes_fps"],
    }
    medians = [side["median"] for side in sides.values()]
    spread = [
        [side["median"] - side["min"] for side in sides.values()],
        [side["max"] - side["median"] for side in sides.values()],
    ]
    right.bar(list(sides), medians, yerr=spread, capsize=4, color=["#228833", "#bbbbbb"])
    right.set_ylabel("frames per second")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)
