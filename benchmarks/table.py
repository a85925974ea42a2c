"""The README's performance table and plot, from committed results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_BEGIN, _END = "<!-- performance -->", "<!-- /performance -->"


@click.command()
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--readme", type=click.Path(exists=True, path_type=Path), help="Update this file.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the stages to this PNG.")
def table(result: Path, readme: Path | None, plot: Path | None) -> None:
    """Print RESULT (JSON of `pipeline`) as Markdown."""
    measured = json.loads(result.read_text(encoding="utf-8"))
    text = _markdown(measured)
    click.echo(text)
    if readme is not None:
        before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
        _, separator, after = rest.partition(_END)
        if not separator:
            raise click.ClickException(f"{readme}: no {_BEGIN} ... {_END} to replace")
        readme.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")
    if plot is not None:
        _draw(measured, plot)


def _markdown(measured: dict[str, Any]) -> str:
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
