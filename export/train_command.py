"""The command line of `python -m export train`.

torch takes seconds to import and is optional, so it is imported when a training starts.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import dataclasses
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from engine.errors import EngineError

if TYPE_CHECKING:
    from types import FrameType

    from export.compute import Compute, Precision
    from export.losses import LossWeights
    from export.model import Plan
    from export.samples import Source
    from export.schedule import Schedule
    from export.train import Trainer

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_WEIGHT = click.FloatRange(min=0)
_COUNT = click.IntRange(min=1)

_FOLDER_SKIN = 0.5


class _InputFailure(click.ClickException):
    exit_code = 2


@dataclass(frozen=True)
class Request:
    """What the user asked for; the names are those of the options."""

    out: Path
    pairs: Path | None
    a: Path | None
    b: Path | None
    network: str
    start: str | None
    encoder: Literal["train", "freeze"]
    teacher: str | None
    minutes: float | None
    steps: int | None
    patience: int | None
    until_ssim: float | None
    validate_every: float
    batch: int | None
    rate: float | None
    skin: float | None
    perceptual: float
    texture: bool
    vary_colors: bool
    device: str
    threads: int
    precision: Precision
    compiled: bool
    resume: bool
    preview: bool
    seed: int

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            click.UsageError: says what to give instead.
        """
        if bool(self.pairs) == bool(self.a and self.b) or bool(self.a) != bool(self.b):
            raise click.UsageError("give either --pairs, or both --a and --b")
        if not (self.minutes or self.steps or self.patience or self.until_ssim):
            raise click.UsageError("give --minutes, --steps, --patience or --until-ssim")
        if not self.resume and (self.out / "checkpoint.safetensors").exists():
            raise click.UsageError(
                f"{self.out} holds a checkpoint; give --resume or another folder"
            )
        if self.resume and self.start:
            raise click.UsageError("--from begins a training, --resume goes on: leave one out")
        if self.encoder == "freeze" and not (self.start or self.resume):
            raise click.UsageError("--encoder freeze keeps a trained encoder: give --from MODEL")
        if self.of_2017 and (self.skin or self.perceptual or self.texture):
            raise click.UsageError(
                "original trains on plain L1 as in 2017; leave --skin, --perceptual and "
                "--texture out, or choose another network"
            )
        if self.pairs and self.vary_colors:
            raise click.UsageError("--vary-colors is for --a and --b; --pairs always does")

    @property
    def of_2017(self) -> bool:
        """Whether to train as in 2017: its network, on faces without pairs."""
        return self.network == "original" and self.pairs is None


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
    show_default=f"{_FOLDER_SKIN}; 0 with --pairs",
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
@click.option("--seed", type=int, default=0, show_default=True)
def train_command(**options: Any) -> None:
    """Train encoder and both decoders; checkpoints, log and pictures go to OUT.

    Ends after --minutes or --steps (over all resumed runs), --patience or --until-ssim,
    whichever comes first. Ctrl-C and SIGTERM save and end too; a second one gives the step up.
    Shards that are added to --pairs meanwhile are used.
    """
    request = Request(**options)

    import cv2
    import torch

    from export.progress import progress_line

    cv2.setNumThreads(1)
    on_cpu = not request.device.startswith("cuda")
    if on_cpu:
        torch.set_num_threads(1)
    try:
        trainer, source = _prepare(request)
    except EngineError as error:
        raise _InputFailure(str(error)) from error

    def interrupt(number: int, _frame: FrameType | None) -> None:
        trainer.interrupt()
        signal.signal(number, signal.default_int_handler)

    # A training in the background ignores SIGINT unless told otherwise, and is ended by
    # SIGTERM: both shall save.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    with progress_line() as report:
        reason = trainer.run(source, report, workers=1 if on_cpu else 8)
    click.echo(f"{request.out}: ended, {reason}")


def _prepare(request: Request) -> tuple[Trainer, Source]:
    from export.compute import Compute
    from export.model import PLANS
    from export.pretrained import read_pretrained
    from export.schedule import Rhythm
    from export.stopping import Stopping
    from export.train import Trainer

    if request.network not in PLANS:
        raise click.UsageError(f"--network {request.network} is none of {', '.join(PLANS)}")
    plan = PLANS[request.network]
    compute = Compute(
        request.device,
        1 if request.device.startswith("cuda") else request.threads,
        request.precision,
        request.compiled,
    )
    compute.torch_device()
    pretrained = read_pretrained(request.start) if request.start else None
    source = _source(request, plan, compute)
    trainer = Trainer(
        plan,
        request.out,
        mode="paired" if request.pairs else "classic",
        schedule=_schedule(request),
        rhythm=Rhythm(validation_s=request.validate_every, preview=request.preview),
        weights=_weights(request),
        compute=compute,
        stopping=Stopping(request.patience, request.until_ssim),
        seed=request.seed,
    )
    if pretrained:
        trainer.start_from(pretrained)
    if request.resume:
        trainer.resume(request.out)
    return trainer, source


def _schedule(request: Request) -> Schedule:
    from export.schedule import CLASSIC_2017, Schedule

    schedule = dataclasses.replace(
        CLASSIC_2017 if request.of_2017 else Schedule(),
        minutes=request.minutes,
        steps=request.steps,
        encoder=1.0 if request.encoder == "train" else 0.0,
    )
    if request.rate is None:
        return schedule
    return dataclasses.replace(schedule, learning_rate=request.rate)


def _weights(request: Request) -> LossWeights | None:
    from export.losses import SHARP, LossWeights

    if request.of_2017:
        return None
    skin = request.skin
    if skin is None:
        skin = 0.0 if request.pairs else _FOLDER_SKIN
    weights = SHARP if request.texture else LossWeights()
    return dataclasses.replace(weights, skin=skin, perceptual=request.perceptual)


def _source(request: Request, plan: Plan, compute: Compute) -> Source:
    from export.distill import Taught
    from export.face_folders import FaceFolders
    from export.pair_folder import PairBatches, PairFolder
    from export.pretrained import read_pretrained

    size = request.batch or (64 if request.network == "original" else 32)
    source: Source
    if request.pairs:
        source = PairFolder(request.pairs, plan, PairBatches(size=size), request.seed)
    else:
        assert request.a is not None
        assert request.b is not None
        source = FaceFolders(
            request.a, request.b, plan, size, request.seed, vary_colors=request.vary_colors
        )
        for line in source.left_out:
            click.echo(line, err=True)
    if request.teacher is None:
        return source
    teacher = read_pretrained(request.teacher).network()
    return Taught(source, teacher.to(compute.torch_device()))
