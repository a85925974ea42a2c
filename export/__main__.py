"""`python -m export`: train a network and turn it into a model file for the stream.

torch takes seconds to import and is optional, so every command imports what it needs.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from export.delivery import onnx, report
from export.extraction.command import extract_command

if TYPE_CHECKING:
    from export.train import Source

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Extract faces, train face-swap networks and export them to ONNX."""


main.add_command(extract_command)


@main.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--pairs", type=_FOLDER, help="Shards of pairs (somebody, B doing the same).")
@click.option("--a", "a_folder", type=_FOLDER, help="Aligned faces of A, without --pairs.")
@click.option("--b", "b_folder", type=_FOLDER, help="Aligned faces of B, without --pairs.")
@click.option(
    "--network",
    type=click.Choice(["light", "original"]),
    default="light",
    show_default=True,
    help="light: 64 px in, 128 px out. original: the network of December 2017.",
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="End after this time.")
@click.option("--steps", type=click.IntRange(min=1), help="End after so many steps.")
@click.option("--batch", type=click.IntRange(min=2), help="Samples a step [32; original: 64].")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Learning rate.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="cores",
    help="Parts of a batch computed at the same time on a CPU.",
)
@click.option("--compile/--no-compile", "compiled", default=False, help="torch.compile; for GPUs.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in OUT.")
@click.option("-p", "-P", "--preview", is_flag=True, help="Keep OUT/preview.png up to date.")
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
@click.option("--seed", type=int, default=0, show_default=True)
def train(  # noqa: C901, PLR0913  # one argument an option, and what contradicts what
    *,
    out: Path,
    pairs: Path | None,
    a_folder: Path | None,
    b_folder: Path | None,
    network: str,
    minutes: float | None,
    steps: int | None,
    batch: int | None,
    rate: float | None,
    device: str,
    threads: int,
    compiled: bool,
    resume: bool,
    preview: bool,
    texture: bool,
    vary_colors: bool,
    seed: int,
) -> None:
    """Train encoder and both decoders; checkpoint, log and preview go to OUT.

    Ends after --minutes or --steps, whichever comes first, over all resumed runs; Ctrl-C
    and SIGTERM save and end too. Shards that are added to --pairs meanwhile are used.
    """
    if bool(pairs) == bool(a_folder and b_folder) or bool(a_folder) != bool(b_folder):
        raise click.UsageError("give either --pairs, or both --a and --b")
    if minutes is None and steps is None:
        raise click.UsageError("give --minutes or --steps")
    if not resume and (out / "checkpoint.safetensors").exists():
        raise click.UsageError(f"{out} holds a checkpoint; give --resume or another folder")

    import dataclasses

    import cv2
    import torch

    from export.face_folders import FaceFolders
    from export.losses import SHARP, LossWeights
    from export.model import PLANS
    from export.pair_folder import PairBatches, PairFolder
    from export.progress import progress_line
    from export.schedule import CLASSIC_2017, Rhythm, Schedule
    from export.train import Trainer

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise click.UsageError(f"torch sees no GPU for --device {device}; leave it out for the CPU")
    cv2.setNumThreads(1)
    on_cpu = torch.device(device).type == "cpu"
    if on_cpu:
        torch.set_num_threads(1)
    plan = PLANS[network]
    of_2017 = network == "original" and pairs is None
    if of_2017 and texture:
        raise click.UsageError("--texture is for light; original trains on plain L1 as in 2017")
    schedule = dataclasses.replace(
        CLASSIC_2017 if of_2017 else Schedule(), minutes=minutes, steps=steps
    )
    if rate is not None:
        schedule = dataclasses.replace(schedule, learning_rate=rate)
    size = batch or (64 if network == "original" else 32)
    source: Source
    if pairs is not None:
        source = PairFolder(pairs, plan, PairBatches(size=size), seed)
    else:
        assert a_folder is not None
        assert b_folder is not None
        source = FaceFolders(a_folder, b_folder, plan, size, seed, vary_colors=vary_colors)
        for line in source.left_out:
            click.echo(line, err=True)
    trainer = Trainer(
        plan,
        out,
        mode="paired" if pairs is not None else "classic",
        schedule=schedule,
        rhythm=Rhythm(preview=preview),
        weights=None if of_2017 else SHARP if texture else LossWeights(),
        device=device,
        threads=threads if on_cpu else 1,
        compiled=compiled,
        seed=seed,
    )
    if resume:
        trainer.resume(out)
    # A training in the background ignores SIGINT unless told otherwise, and is ended by
    # SIGTERM: both shall save.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with progress_line() as report:
        trainer.run(source, report, workers=1 if on_cpu else 8)


main.add_command(onnx)
main.add_command(report)


def run() -> int:
    """Run the command line; expected failures become one line on stderr."""
    from engine.errors import EngineError

    try:
        main.main(prog_name="python -m export", standalone_mode=True)
    except (EngineError, ImportError, OSError) as error:
        hint = "; pip install 'facestream[train]'" if isinstance(error, ImportError) else ""
        click.echo(f"error: {error}{hint}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
