"""Training: both decoders, on pairs or on the unpaired faces of two people."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from torch import nn

from export import checkpoint as checkpoints
from export import optimizers
from export.compute import Compute
from export.errors import CheckpointError, TrainingError
from export.gradients import accumulate
from export.journal import Journal, read_log
from export.loss_plot import plot_log
from export.losses import LossWeights
from export.model import FaceSwapper, Plan
from export.objective import Objective
from export.pretrained import Pretrained
from export.preview import preview_grid, write_preview
from export.samples import Batch, Prefetch, Source
from export.schedule import Progress, Rhythm, Schedule
from export.stopping import Stopping
from export.validation import measure

Mode: TypeAlias = Literal["paired", "classic"]

_SMOOTHING = 0.98  # of the losses that are shown and logged


class Trainer:
    """Trains one network and keeps its folder in order.

    Args:
        plan: network to train.
        folder: for checkpoints, log and pictures; made if missing.
        mode: "paired" trains both decoders in one step on one summed loss; "classic"
            alternates between A and B with two optimizers, so that the encoder has
            separate moments for both, as in 2017.
        schedule: how long and how fast.
        rhythm: how often to save and validate.
        weights: of the loss; None for the plain L1 of 2017.
        compute: where and how exactly.
        stopping: what ends the training before its schedule; None for nothing.
        seed: of the first weights.

    Attributes:
        interrupted: somebody has asked it to end; it will not train any more.

    Raises:
        TrainingError: the device is not there.
    """

    def __init__(  # noqa: PLR0913  # each is a choice of its own
        self,
        plan: Plan,
        folder: Path,
        *,
        mode: Mode,
        schedule: Schedule,
        rhythm: Rhythm | None = None,
        weights: LossWeights | None = None,
        compute: Compute | None = None,
        stopping: Stopping | None = None,
        seed: int = 0,
    ) -> None:
        self.plan, self.folder, self.mode = plan, folder, mode
        self.schedule, self.rhythm = schedule, rhythm or Rhythm()
        self.compute = compute or Compute()
        self.stopping = stopping or Stopping()
        self._pool: ThreadPoolExecutor | None = None
        torch.manual_seed(seed)
        network, device = FaceSwapper(plan), self.compute.torch_device()
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.average = copy.deepcopy(self.network).requires_grad_(requires_grad=False).eval()
        self.network.encoder.requires_grad_(schedule.encoder != 0)
        self.objective = Objective(self.network, weights, self.compute)
        decoders = self.network.decoders
        together = [[decoders["a"], decoders["b"]]]
        apart = [[decoders["a"]], [decoders["b"]]]
        self.optimizers = [
            optimizers.make_optimizer(self.network, group, schedule)
            for group in (together if mode == "paired" else apart)
        ]
        self.step, self.seconds, self.images = 0, 0.0, 0
        self.losses: dict[str, float] = {}
        self.validation: dict[str, float] = {}
        self._validated_step: int | None = None
        self.interrupted = False

    def start_from(self, pretrained: Pretrained) -> None:
        """Begin with trained weights.

        Raises:
            CheckpointError: they belong to another network.
        """
        pretrained.load_into(self.network)
        pretrained.load_into(self.average)

    def interrupt(self) -> None:
        """Let `run` save and return after its current step; signal handlers may call it.

        Raises:
            KeyboardInterrupt: it has been asked already, and whoever asks cannot wait.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def run(self, source: Source, report: Callable[[Progress], None], workers: int = 1) -> str:
        """Train to the end of the schedule, until there is no need to, or until interrupted.

        Args:
            source: where batches come from.
            report: called after every step.
            workers: threads that make batches ahead.

        Returns:
            Why it ended, for people.

        Raises:
            TrainingError: the loss or a gradient is not a number, or there are no held-out
                faces to stop by. The checkpoint on disk is the last good one.
            CheckpointError: a checkpoint cannot be written; the previous one is kept.
        """
        held_out = source.validation(self.rhythm.validation_count)
        if self.stopping.wanted and not held_out:
            raise TrainingError("stopping early needs held-out faces, and there are none")
        self.folder.mkdir(parents=True, exist_ok=True)
        due = _Timers(self.rhythm)
        begun, before, before_images = time.monotonic(), self.seconds, self.images
        with (
            Journal(self.folder, self.step) as journal,
            self._gradient_threads(),
            Prefetch(source.draw, self.step, workers=workers) as batches,
        ):
            while (reason := self._reason_to_end()) is None:
                done = self.schedule.progress(self.step, self.seconds)
                rate = self.schedule.rate(self.step, done)
                for name, value in self.train_step(next(batches), rate).items():
                    known = self.losses.get(name, value)
                    self.losses[name] = _SMOOTHING * known + (1 - _SMOOTHING) * value
                elapsed = time.monotonic() - begun
                self.seconds = before + elapsed
                if due("refresh"):
                    source.refresh()
                if due("validation"):
                    self._look(held_out, source, journal, rate)
                if due("checkpoint"):
                    self.save(source.counts())
                speed = (self.images - before_images) / elapsed
                report(
                    Progress(
                        self.step,
                        self.seconds,
                        done,
                        rate,
                        dict(self.losses),
                        speed,
                        self.validation,
                    )
                )
            if self._validated_step != self.step:
                self._look(held_out, source, journal, None)
            self.save(source.counts())
        return reason

    def _reason_to_end(self) -> str | None:
        if self.interrupted:
            return "interrupted"
        if self.schedule.progress(self.step, self.seconds) >= 1.0:
            return "the schedule is done"
        return self.stopping.reason()

    def _look(
        self, held_out: list[Batch], source: Source, journal: Journal, rate: float | None
    ) -> None:
        """Validate, log, draw, and keep the best weights."""
        self.validate(held_out)
        values = {**self.losses, **self.validation, **({"rate": rate} if rate else {})}
        journal.write(self.step, self.seconds, self.images, values)
        if self.rhythm.preview:
            plot_log(read_log(journal.path), self.folder / "loss.png")
        # A critic makes faces sharper at the cost of similarity: there the latest is best.
        if self.stopping.see(self.validation) or self.objective.adversary:
            best = checkpoints.Checkpoint(
                checkpoints.named("average", self.average), self._state(source.counts())
            )
            checkpoints.save(self.folder, best, checkpoints.BEST)

    def train_step(self, batches: list[Batch], rate: float) -> dict[str, float]:
        """One step on the batches of both sides.

        Args:
            batches: from a source.
            rate: learning rate.

        Returns:
            Terms of the loss by name.

        Raises:
            TrainingError: the loss or a gradient is not a number; no weight was changed by
                this optimizer step.
        """
        self.network.train()
        in_order = sorted(batches, key=lambda batch: batch.side)
        parts = [batches] if self.mode == "paired" else [[batch] for batch in in_order]
        result: dict[str, float] = {}
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            parameters = optimizers.parameters_of(optimizer)
            critic = self.objective.critic_parameters(part)
            terms = accumulate(
                part,
                partial(self.objective.gradients, parameters=parameters),
                [*parameters, *critic],
                self._pool,
                self.compute.threads,
            )
            norm = float(nn.utils.clip_grad_norm_(parameters, self.schedule.clip))
            if not math.isfinite(norm):
                raise TrainingError(
                    f"step {self.step}: the gradient's norm is {norm}, expected a number; go on "
                    "from the last checkpoint with --resume and a lower --rate, or begin anew"
                )
            optimizers.set_rate(optimizer, rate)
            optimizer.step()
            if critic and self.objective.adversary:
                self.objective.adversary.step()
            suffix = "" if self.mode == "paired" else f"_{part[0].side}"
            result |= {name + suffix: value for name, value in terms.items()}
            self.images += sum(len(batch.face) for batch in part)
        self.step += 1
        self._follow()
        return result

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the smoothed weights follow; early on they follow fast."""
        decay = min(self.schedule.average, (1 + self.step) / (10 + self.step))
        averages, currents = list(self.average.parameters()), list(self.network.parameters())
        torch._foreach_lerp_(averages, currents, 1 - decay)

    def validate(self, held_out: list[Batch]) -> dict[str, float]:
        """Measure the smoothed weights on held-out faces and draw the preview.

        Returns:
            As `export.validation.measure`.
        """
        if held_out and self.rhythm.preview:
            write_preview(self.folder / "preview.png", preview_grid(self.average, held_out))
        self.validation, self._validated_step = measure(self.average, held_out), self.step
        return self.validation

    def _networks(self) -> dict[str, nn.Module]:
        """What a checkpoint holds, by the name of its part."""
        networks: dict[str, nn.Module] = {"network": self.network, "average": self.average}
        adversary = self.objective.adversary
        return networks | ({"critic": adversary.critic} if adversary else {})

    def _all_optimizers(self) -> list[torch.optim.Optimizer]:
        adversary = self.objective.adversary
        return [*self.optimizers, *([adversary.optimizer] if adversary else [])]

    def _encoder(self) -> str:
        return "trained" if self.schedule.encoder else "frozen"

    def _state(self, data: dict[str, int]) -> dict[str, Any]:
        return {
            "plan": self.plan.name,
            "mode": self.mode,
            "encoder": self._encoder(),
            "step": self.step,
            "seconds": round(self.seconds, 3),
            "images": self.images,
            "data": data,
            "losses": self.losses,
            "validation": self.validation,
            "best": self.stopping.best,
            "stale": self.stopping.stale,
        }

    def save(self, data: dict[str, int]) -> Path:
        """Write a checkpoint; `data` says what was trained on."""
        tensors = optimizers.state_tensors(self._all_optimizers())
        for part, network in self._networks().items():
            tensors |= checkpoints.named(part, network)
        return checkpoints.save(self.folder, checkpoints.Checkpoint(tensors, self._state(data)))

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same network and mode.

        Raises:
            CheckpointError: it is missing, damaged, or of another network, mode or version.
        """
        saved = checkpoints.load(path)
        # Encoders could not be frozen before this was stored.
        state = {"encoder": "trained", "losses": {}, "best": 0.0, "stale": 0, **saved.state}
        expected = {"plan": self.plan.name, "mode": self.mode, "encoder": self._encoder()}
        words = {"plan": "network", "mode": "mode", "encoder": "encoder"}
        for name, value in expected.items():
            if state.get(name) != value:
                raise CheckpointError(
                    f"{path} has {words[name]} {state.get(name)!r}, expected {value!r}; "
                    f"choose that {words[name]} or another folder"
                )
        for part, network in self._networks().items():
            # A critic may join a training that began without one.
            if part != "critic" or saved.part(part):
                checkpoints.restore(network, saved, part)
        optimizers.restore(self._all_optimizers(), saved)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.images, self.losses = int(state["images"]), dict(state["losses"])
        self.validation = dict(state["validation"])
        self.stopping.best, self.stopping.stale = float(state["best"]), int(state["stale"])
        self._validated_step = self.step

    @contextmanager
    def _gradient_threads(self) -> Iterator[None]:
        if self.compute.threads == 1:
            yield
            return
        with ThreadPoolExecutor(self.compute.threads, "gradients") as self._pool:
            yield
        self._pool = None


class _Timers:
    """Says what is due, by the name of what `Rhythm` calls its interval."""

    def __init__(self, rhythm: Rhythm) -> None:
        self._intervals = {
            "checkpoint": rhythm.checkpoint_s,
            "validation": rhythm.validation_s,
            "refresh": rhythm.refresh_s,
        }
        self._last = dict.fromkeys(self._intervals, time.monotonic())

    def __call__(self, name: str) -> bool:
        now = time.monotonic()
        if now - self._last[name] < self._intervals[name]:
            return False
        self._last[name] = now
        return True
