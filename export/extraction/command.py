"""The command line of `python -m export extract`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from export.bad_input import bad_input
from export.errors import InputError
from export.interrupts import INTERRUPTED

if TYPE_CHECKING:
    from export.extraction.settings import Person

_LIMIT = click.FloatRange(min=0)
_SHARE = click.FloatRange(0, 1)
_ANGLE = click.FloatRange(min=0, max=180, min_open=True)


def _person(_context: click.Context, _option: click.Parameter, value: str) -> Person:
    if value == "auto":
        return "auto"
    if value == "all":
        return "all"
    if value.isdecimal():
        return int(value)
    raise click.BadParameter(f"{value!r} is no track: expected a number, auto or all")


@click.command("extract")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--size", type=click.IntRange(64, 2048), default=256, show_default=True, help="Side in pixels."
)
@click.option(
    "--person",
    callback=_person,
    default="auto",
    metavar="N|auto|all",
    show_default=True,
    help="Track to take; auto: a clip's longest one with those of the same looks, a picture's "
    "largest face.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Look at every so-manieth frame of a clip.",
)
@click.option("--max", "count", type=click.IntRange(min=1), help="Keep so many, the most varied.")
@click.option(
    "--distance",
    type=_LIMIT,
    default=1.0,
    show_default=True,
    help="Faces nearer to each other are near-duplicates; 0 keeps all.",
)
@click.option(
    "--min-size",
    type=_LIMIT,
    default=48,
    show_default=True,
    help="Side of a face in the source, in pixels.",
)
@click.option(
    "--min-sharpness",
    type=_SHARE,
    default=0.09,
    show_default=True,
    help="0 to 1; raise it where contact.png shows blurred faces.",
)
@click.option("--max-yaw", type=_ANGLE, default=60, show_default=True, help="In degrees.")
@click.option("--max-pitch", type=_ANGLE, default=40, show_default=True, help="In degrees.")
@click.option("--max-roll", type=_ANGLE, default=90, show_default=True, help="In degrees.")
@click.option(
    "--exposure",
    type=(_SHARE, _SHARE),
    default=(0.08, 0.92),
    show_default=True,
    help="Darkest and brightest mean of a face, 0 to 1.",
)
@click.option(
    "--max-clipped",
    type=_SHARE,
    default=0.3,
    show_default=True,
    help="Share of a face that is black or white.",
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Take so much of the beginning of each clip or recording.",
)
def extract_command(  # noqa: PLR0913  # one argument an option
    *,
    sources: tuple[str, ...],
    out: Path,
    size: int,
    person: Person,
    every: int,
    count: int | None,
    distance: float,
    min_size: float,
    min_sharpness: float,
    max_yaw: float,
    max_pitch: float,
    max_roll: float,
    exposure: tuple[float, float],
    max_clipped: float,
    duration: float | None,
) -> None:
    """Cut the faces of one person out of SOURCEs for `train --a OUT` or `--b OUT`.

    A SOURCE is a video file, a picture, a folder of pictures, a camera (0) or a URL. OUT gets
    the crops, alignments.jsonl, which describes them, contact.png, and detections.jsonl: with
    it, a run with other options looks for no face again, and an interrupted one goes on.
    Crops of other sources in OUT stay. Ctrl-C cuts out what was found so far.
    """
    # Loading MediaPipe takes seconds.
    from export.extraction.monitor import terminal  # noqa: PLC0415
    from export.extraction.quality import Limits  # noqa: PLC0415
    from export.extraction.run import extract  # noqa: PLC0415
    from export.extraction.settings import Settings  # noqa: PLC0415

    limits = Limits(
        min_size_px=min_size,
        min_sharpness=min_sharpness,
        max_yaw_deg=max_yaw,
        max_pitch_deg=max_pitch,
        max_roll_deg=max_roll,
        min_exposure=exposure[0],
        max_exposure=exposure[1],
        max_clipped=max_clipped,
    )
    settings = Settings(size, every, limits, person, distance, count, duration)
    with bad_input(InputError), terminal() as monitor:
        summary = extract(sources, out, settings, monitor)
    click.echo(summary.describe(size, out))
    if not summary.complete:
        click.echo("interrupted; run the same command again to go on", err=True)
        raise click.exceptions.Exit(INTERRUPTED)
