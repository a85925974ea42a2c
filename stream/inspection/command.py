"""`run_stream.py inspect MODEL`."""

from __future__ import annotations

import json

import click
from rich.console import Console

from engine.models import model_path
from stream.findings import show
from stream.inspection.examination import inspect as look
from stream.inspection.page import sections, to_json
from stream.processors import available_threads


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, 60),
    default=0.5,
    show_default=True,
    help="How long to measure each device and number of threads.",
)
def inspect(model: str, seconds: float, *, as_json: bool) -> int:
    """Say what a model file is, how it answers, how fast it is, and what is wrong with it.

    MODEL is a bundled persona or a file. Nothing but ONNX Runtime's own operators is executed,
    and no file outside of the model's folder is read. Exits with 0 if a run can use the model, 1
    if not, 2 if it is no ONNX file.
    """
    threads = tuple(dict.fromkeys((1, available_threads())))
    found = look(model_path(model), threads, seconds)
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
    else:
        console = Console(highlight=False)
        for section in sections(found):
            show(section, console)
    return int(bool(found.problems))
