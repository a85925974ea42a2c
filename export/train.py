"""Training: both decoders, on pairs or on the unpaired faces of two people."""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from export import checkpoint as checkpoints
from export.adversary import Adversary, Judged
from export.errors import CheckpointError, TrainingError
from export.gradients import Terms, accumulate, in_memory_order_of
from export.losses import LossWeights, pixel_weights, portrait_loss, ssim_map
from export.model import FaceSwapper, Plan, Side
from export.preview import preview_grid, write_preview
from export.samples import Batch, Prefetch, maps_to_tensor, pictures_to_tensor
from export.schedule import Progress, Rhythm, Schedule

Mode: TypeAlias = Literal["paired", "classic"]


class Source(Protocol):
    """Where batches come from; see `export.samples`."""

    def refresh(self) -> int:
        """Look for new data; how much there is."""

    def counts(self) -> dict[str, int]:
        """How much data there is, by kind."""

    def draw(self, step: int) -> list[Batch]:
        """The batches of a step."""

    def validation(self, count: int) -> list[Batch]:
        """Held-out batches, always the same."""


class Trainer:
    """Trains one network and keeps its folder in order.

    Args:
        plan: network to train.
        folder: for checkpoint, log.csv and preview.png; made if missing.
        mode: "paired" trains both decoders in one step on one summed loss; "classic"
            alternates between A and B with two optimizers, so that the encoder has
            separate moments for both, as in 2017.
        schedule: how long and how fast.
        rhythm: how often to save and validate.
        weights: of the loss; None for the plain L1 of 2017.
        device: where to compute.
        threads: parts of a batch that `run` computes at the same time, on a CPU; with more
            than one, set torch's own threads to 1.
        compiled: compile the network's step; pays on a GPU.
        seed: of the first weights.

    Raises:
        CheckpointError: `resume` found no usable checkpoint.
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
        device: str = "cpu",
        threads: int = 1,
        compiled: bool = False,
        seed: int = 0,
    ) -> None:
        self.plan, self.folder, self.mode = plan, folder, mode
        self.schedule, self.rhythm = schedule, rhythm or Rhythm()
        self.weights = weights
        self.device = torch.device(device)
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        torch.manual_seed(seed)
        network = FaceSwapper(plan)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.average = copy.deepcopy(self.network).requires_grad_(requires_grad=False).eval()
        self._run: Callable[[Tensor, list[tuple[Side, int]]], Tensor] = (
            torch.compile(self._forward) if compiled else self._forward
        )
        groups = (
            [list(self.network.parameters())]
            if mode == "paired"
            else [self.network.parameters_of(side) for side in ("a", "b")]
        )
        self.optimizers = [
            torch.optim.Adam(group, lr=1e-3, betas=(schedule.beta1, 0.999), fused=True)
            for group in groups
        ]
        judged = weights is not None and max(weights.texture, weights.features) > 0
        self.adversary = Adversary(self.device) if judged else None
        self.step, self.seconds, self.images = 0, 0.0, 0
        self.validation: dict[str, float] = {}

    def run(self, source: Source, report: Callable[[Progress], None], workers: int = 1) -> None:
        """Train to the end of the schedule; on Ctrl-C save and return.

        Args:
            source: where batches come from.
            report: called after every step.
            workers: threads that make batches ahead.

        Raises:
            TrainingError: the loss or a gradient is not a number. The checkpoint on disk
                is the last good one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        held_out = source.validation(self.rhythm.validation_count)
        timers = {name: time.monotonic() for name in ("checkpoint", "validation", "refresh")}

        def due(name: str, interval_s: float) -> bool:
            now = time.monotonic()
            if now - timers[name] < interval_s:
                return False
            timers[name] = now
            return True

        losses: dict[str, float] = {}
        begun, before, before_images = time.monotonic(), self.seconds, self.images
        with (
            self._log() as log,
            self._gradient_threads(),
            Prefetch(source.draw, self.step, workers=workers) as batches,
        ):
            try:
                while (done := self.schedule.progress(self.step, self.seconds)) < 1.0:
                    rate = self.schedule.rate(self.step, done)
                    for name, value in self.train_step(next(batches), rate).items():
                        losses[name] = 0.98 * losses.get(name, value) + 0.02 * value
                    elapsed = time.monotonic() - begun
                    self.seconds = before + elapsed
                    if due("refresh", self.rhythm.refresh_s):
                        source.refresh()
                    if due("validation", self.rhythm.validation_s):
                        self.validate(held_out)
                        log({**losses, **self.validation, "rate": rate})
                    if due("checkpoint", self.rhythm.checkpoint_s):
                        self.save(source.counts())
                    speed = (self.images - before_images) / elapsed
                    report(
                        Progress(
                            self.step,
                            self.seconds,
                            done,
                            rate,
                            dict(losses),
                            speed,
                            self.validation,
                        )
                    )
            except KeyboardInterrupt:
                pass
            self.validate(held_out)
            log({**losses, **self.validation})
            self.save(source.counts())

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
        if self.mode == "paired":
            steps = [(self.optimizers[0], batches)]
        else:
            in_order = sorted(batches, key=lambda batch: batch.side)
            steps = [
                (optimizer, [batch])
                for optimizer, batch in zip(self.optimizers, in_order, strict=True)
            ]
        report: dict[str, float] = {}
        for optimizer, part in steps:
            parameters = optimizer.param_groups[0]["params"]
            judges = self.adversary is not None and part[0].side == "b"
            critic = self.adversary.parameters if self.adversary and judges else []
            terms = accumulate(
                part,
                partial(self._gradients, parameters=parameters),
                [*parameters, *critic],
                self._pool,
                self.threads,
            )
            norm = float(nn.utils.clip_grad_norm_(parameters, self.schedule.clip))
            if not math.isfinite(norm):
                raise TrainingError(
                    f"step {self.step}: the gradient's norm is {norm}, expected a number; the "
                    "last checkpoint is kept, resume from it with a lower learning rate"
                )
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
            if self.adversary and judges:
                self.adversary.step()
            suffix = "" if self.mode == "paired" else f"_{part[0].side}"
            report |= {name + suffix: value for name, value in terms.items()}
            self.images += sum(len(batch.face) for batch in part)
        self.step += 1
        self._follow()
        return report

    def _gradients(
        self, batches: list[Batch], parameters: list[nn.Parameter]
    ) -> tuple[Terms, Sequence[Tensor]]:
        """The terms of the loss, and the gradients of `parameters` and then the critic's."""
        terms = self._loss(batches)
        judged = self.adversary is not None and "critic" in terms
        # A step may lack one side; its decoder then has a gradient of zero.
        gradients = torch.autograd.grad(
            terms["total"],
            parameters,
            allow_unused=True,
            materialize_grads=True,
            retain_graph=judged,
        )
        if self.adversary is None or not judged:
            return terms, gradients
        return terms, [
            *gradients,
            *torch.autograd.grad(terms["critic"], self.adversary.parameters),
        ]

    def _forward(self, faces: Tensor, sides: list[tuple[Side, int]]) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16):
            codes = self.network.encoder(faces).split([count for _, count in sides])
            drawn = [
                self.network.decoders[side](code)
                for (side, _), code in zip(sides, codes, strict=True)
            ]
        return torch.cat(drawn).contiguous()

    def _loss(self, batches: list[Batch]) -> Terms:
        faces, targets, masks, regions, details = (
            torch.cat([convert(part, self.device) for part in parts])
            for convert, parts in zip(
                (pictures_to_tensor, pictures_to_tensor, *[maps_to_tensor] * 3),
                list(zip(*batches, strict=True))[1:],
                strict=True,
            )
        )
        faces = faces.contiguous(memory_format=torch.channels_last)
        drawn = self._run(faces, [(batch.side, len(batch.face)) for batch in batches])
        if self.weights is None:
            return {"total": (drawn[:, :3] - targets).abs().mean()}
        weight = pixel_weights(regions, details, self.weights)
        terms = portrait_loss(drawn, targets.contiguous(), masks, weight, self.weights)
        if self.adversary is None or batches[0].side != "b":
            return terms
        count = len(batches[0].face)
        judged = Judged(drawn[:count, :3], targets[:count], regions[:count])
        terms |= self.adversary.review(judged)
        terms["total"] = (
            terms["total"]
            + self.weights.texture * terms["texture"]
            + self.weights.features * terms["features"]
        )
        return terms

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the smoothed weights follow; early on they follow fast."""
        decay = min(self.schedule.average, (1 + self.step) / (10 + self.step))
        averages, currents = list(self.average.parameters()), list(self.network.parameters())
        torch._foreach_lerp_(averages, currents, 1 - decay)

    @torch.no_grad()
    def validate(self, held_out: list[Batch]) -> dict[str, float]:
        """Measure the smoothed weights on held-out faces and draw the preview.

        Returns:
            By side: "val_l1_*" and "val_ssim_*" over the face.
        """
        result: dict[str, float] = {}
        for batch in held_out:
            faces = pictures_to_tensor(batch.face, self.device)
            targets = pictures_to_tensor(batch.target, self.device)
            region = maps_to_tensor(batch.region, self.device)
            drawn = self.average(faces, batch.side)[:, :3]
            error = (drawn - targets).abs().mean(dim=1, keepdim=True)
            result[f"val_l1_{batch.side}"] = float((error * region).sum() / region.sum())
            region = region[..., ::2, ::2]
            similarity = (ssim_map(drawn, targets) * region).sum() / region.sum()
            result[f"val_ssim_{batch.side}"] = float(similarity)
        if held_out and self.rhythm.preview:
            write_preview(self.folder / "preview.png", preview_grid(self.average, held_out))
        self.validation = result
        return result

    def _networks(self) -> dict[str, nn.Module]:
        """What a checkpoint holds, by the name of its part."""
        networks: dict[str, nn.Module] = {"network": self.network, "average": self.average}
        return networks | ({"critic": self.adversary.critic} if self.adversary else {})

    def _all_optimizers(self) -> list[torch.optim.Optimizer]:
        return [*self.optimizers, *([self.adversary.optimizer] if self.adversary else [])]

    def save(self, data: dict[str, int]) -> Path:
        """Write a checkpoint; `data` says what was trained on."""
        tensors = {
            f"{part}.{name}": tensor
            for part, network in self._networks().items()
            for name, tensor in network.state_dict().items()
        }
        for number, optimizer in enumerate(self._all_optimizers()):
            for index, entry in optimizer.state_dict()["state"].items():
                for key, tensor in entry.items():
                    tensors[f"optimizer.{number}.{index}.{key}"] = tensor
        state: dict[str, Any] = {
            "plan": self.plan.name,
            "mode": self.mode,
            "step": self.step,
            "seconds": round(self.seconds, 3),
            "images": self.images,
            "data": data,
            "validation": self.validation,
        }
        return checkpoints.save(self.folder, checkpoints.Checkpoint(tensors, state))

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same network and mode.

        Raises:
            CheckpointError: it is missing, damaged, or of another network or mode.
        """
        saved = checkpoints.load(path)
        for name, expected in (("plan", self.plan.name), ("mode", self.mode)):
            if saved.state.get(name) != expected:
                raise CheckpointError(
                    f"{path} has {name} {saved.state.get(name)!r}, expected {expected!r}; "
                    f"choose that {name} or another folder"
                )
        for part, network in self._networks().items():
            # A critic may join a training that began without one.
            if part != "critic" or saved.part(part):
                network.load_state_dict(saved.part(part))
        for number, optimizer in enumerate(self._all_optimizers()):
            parameters = optimizer.param_groups[0]["params"]
            entries: dict[int, dict[str, Tensor]] = {}
            for name, tensor in saved.part(f"optimizer.{number}").items():
                index, key = name.split(".")
                entry = entries.setdefault(int(index), {})
                like = parameters[int(index)]
                ordered = tensor.shape == like.shape  # all but the step count
                entry[key] = in_memory_order_of(like, tensor) if ordered else tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": entries})
        self.step, self.seconds = int(saved.state["step"]), float(saved.state["seconds"])
        self.images = int(saved.state["images"])
        self.validation = dict(saved.state["validation"])

    @contextmanager
    def _gradient_threads(self) -> Iterator[None]:
        if self.threads == 1:
            yield
            return
        with ThreadPoolExecutor(self.threads, "gradients") as self._pool:
            yield
        self._pool = None

    @contextmanager
    def _log(self) -> Iterator[Callable[[dict[str, float]], None]]:
        """log.csv, one row a validation; a resumed training appends."""
        with (self.folder / "log.csv").open("a", newline="") as file:
            writer = csv.writer(file)

            def write(values: dict[str, float]) -> None:
                if file.tell() == 0:
                    writer.writerow(["step", "seconds", "images", "name", "value"])
                for name, value in values.items():
                    writer.writerow(
                        [self.step, round(self.seconds, 1), self.images, name, f"{value:.6g}"]
                    )
                file.flush()

            yield write
