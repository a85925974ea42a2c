"""A training as the user asked for it, and what is built from that.

torch takes seconds to import and is optional, so it is imported when a training is prepared.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

if TYPE_CHECKING:
    from export.compute import Compute, Precision
    from export.losses import LossWeights
    from export.model import Plan
    from export.samples import Source
    from export.schedule import Schedule
    from export.train import Trainer

FOLDER_SKIN: Final = 0.5
"""Default of --skin for folders of faces."""


@dataclass(frozen=True)
class TrainingRequest:
    """What the user asked for; the names are those of the options of `train`.

    Raises:
        click.UsageError: it contradicts itself; says what to give instead.
    """

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

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU, which needs no threads and more workers."""
        return self.device.startswith("cuda")

    def prepare(self) -> tuple[Trainer, Source]:
        """Read everything that the training needs; nothing is written.

        Raises:
            click.UsageError: there is no such network.
            EngineError: what the user named cannot be used.
        """
        from export.compute import Compute
        from export.model import PLANS
        from export.pretrained import read_pretrained
        from export.schedule import Rhythm
        from export.stopping import Stopping
        from export.train import Trainer

        if self.network not in PLANS:
            raise click.UsageError(f"--network {self.network} is none of {', '.join(PLANS)}")
        plan = PLANS[self.network]
        threads = 1 if self.on_gpu else self.threads
        compute = Compute(self.device, threads, self.precision, self.compiled)
        compute.torch_device()
        pretrained = read_pretrained(self.start) if self.start else None
        source = self._source(plan, compute)
        trainer = Trainer(
            plan,
            self.out,
            mode="paired" if self.pairs else "classic",
            schedule=self._schedule(),
            rhythm=Rhythm(validation_s=self.validate_every, preview=self.preview),
            weights=self._weights(),
            compute=compute,
            stopping=Stopping(self.patience, self.until_ssim),
            seed=self.seed,
        )
        if pretrained:
            trainer.start_from(pretrained)
        if self.resume:
            trainer.resume(self.out)
        return trainer, source

    def _schedule(self) -> Schedule:
        from export.schedule import CLASSIC_2017, Schedule

        schedule = dataclasses.replace(
            CLASSIC_2017 if self.of_2017 else Schedule(),
            minutes=self.minutes,
            steps=self.steps,
            encoder=1.0 if self.encoder == "train" else 0.0,
        )
        if self.rate is None:
            return schedule
        return dataclasses.replace(schedule, learning_rate=self.rate)

    def _weights(self) -> LossWeights | None:
        from export.losses import SHARP, LossWeights

        if self.of_2017:
            return None
        skin = self.skin
        if skin is None:
            skin = 0.0 if self.pairs else FOLDER_SKIN
        weights = SHARP if self.texture else LossWeights()
        return dataclasses.replace(weights, skin=skin, perceptual=self.perceptual)

    def _source(self, plan: Plan, compute: Compute) -> Source:
        from export.distill import Taught
        from export.face_folders import FaceFolders
        from export.pair_folder import PairBatches, PairFolder
        from export.pretrained import read_pretrained

        size = self.batch or (64 if self.network == "original" else 32)
        source: Source
        if self.pairs:
            source = PairFolder(self.pairs, plan, PairBatches(size=size), self.seed)
        else:
            assert self.a is not None
            assert self.b is not None
            source = FaceFolders(
                self.a, self.b, plan, size, self.seed, vary_colors=self.vary_colors
            )
            for line in source.left_out:
                click.echo(line, err=True)
        if self.teacher is None:
            return source
        teacher = read_pretrained(self.teacher).network()
        return Taught(source, teacher.to(compute.torch_device()))
