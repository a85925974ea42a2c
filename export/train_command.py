"""The command line of `python -m export train`.

torch takes seconds to import and is optional, so it is imported when a training starts.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from export.bad_input import bad_input
from export.interrupts import INTERRUPTED, interrupts
from export.training_request import FOLDER_SKIN, TrainingRequest

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_WEIGHT = click.FloatRange(min=0)
_COUNT = click.IntRange(min=1)


@click.command("train")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--a", type=_FOLDER, help="Faces of A from `extract`, without --pairs.")
@click.option("--b", type=_FOLDER, help="Faces of B, who shall be drawn, without --pairs.")
@click.option("--pairs", type=_FOLDER, help="Shards of pairs (somebody, B doing the same).")
@click.option(
    "--network",
    default="light",
    show_default=True,
    help="light: 64 px in, 128 px out. original: the network of December 2017.",
)
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    help="Begin with trained weights: maro (bundled), an exported ONNX file, or a training.",
)
@click.option(
    "--encoder",
    type=click.Choice(["train", "freeze"]),
    default="train",
    show_default=True,
    help="freeze trains the decoders only: cheaper steps, but worse faces from as many.",
)
@click.option(
    "--teacher",
    metavar="MODEL",
    help="A trained network, as for --from, of any size: says what B looks like doing what A does.",
)
@click.option("--minutes", type=_POSITIVE, help="End after this time.")
@click.option("--steps", type=_COUNT, help="End after so many steps.")
@click.option("--patience", type=_COUNT, help="End after so many validations without progress.")
@click.option(
    "--until-ssim",
    type=click.FloatRange(0, 1, min_open=True),
    help="End when held-out faces of both sides are that similar.",
)
@click.option(
    "--validate-every",
    type=_POSITIVE,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Measure held-out faces, write the log, keep the best weights.",
)
@click.option("--batch", type=click.IntRange(min=2), help="Samples a step [32; original: 64].")
@click.option("--rate", type=_POSITIVE, help="Learning rate.")
@click.option(
    "--skin",
    type=_WEIGHT,
    show_default=f"{FOLDER_SKIN}; 0 with --pairs",
    help="How much more skin counts in the loss.",
)
@click.option(
    "--perceptual",
    type=_WEIGHT,
    default=0.0,
    show_default=True,
    help="Weight of the distance that the bundled encoder sees.",
)
@click.option(
    "--texture",
    is_flag=True,
    help="A critic sharpens decoder B's faces; for the second half of a training.",
)
@click.option(
    "--vary-colors",
    is_flag=True,
    help="Also vary colors, light, noise and sharpness of --a and --b; --pairs always does.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--threads",
    type=_COUNT,
    default=os.cpu_count() or 1,
    show_default="cores",
    help="Parts of a batch computed at the same time on a CPU.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="auto: bf16 where the device has instructions for it.",
)
@click.option("--compile/--no-compile", "compiled", default=False, help="torch.compile; for GPUs.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in OUT.")
@click.option(
    "-p", "-P", "--preview", is_flag=True, help="Keep OUT/preview.png and OUT/loss.png up to date."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of first weights and batches.",
)
def train_command(**options: Any) -> None:
    """Train encoder and both decoders; checkpoints, log and pictures go to OUT.

    Ends after --minutes or --steps (over all resumed runs), --patience or --until-ssim,
    whichever comes first. Ctrl-C and SIGTERM save and end too; a second one gives the step up.
    Shards that are added to --pairs meanwhile are used.
    """
    request = TrainingRequest(**options)

    import cv2
    import torch

    from export.progress import progress_line, similarities

    cv2.setNumThreads(1)
    if not request.on_gpu:
        torch.set_num_threads(1)
    with bad_input():
        trainer, source = request.prepare()
    with interrupts(trainer.interrupt), progress_line() as report:
        reason = trainer.run(source, report, workers=8 if request.on_gpu else 1)
    click.echo(f"{request.out}: ended, {reason}{similarities(trainer.validation)}")
    if trainer.interrupted:
        click.echo("interrupted; --resume goes on", err=True)
        raise click.exceptions.Exit(INTERRUPTED)
