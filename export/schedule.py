"""How long, how fast and how often: the numbers of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: end after so many steps, over all resumed runs; None for no limit.
        minutes: end after so much time, over all resumed runs; None for no limit.
        learning_rate: the highest.
        final_rate: the lowest, reached at the end by a cosine, relative to the highest;
            1 keeps the rate.
        warmup_steps: the rate grows linearly over these.
        beta1: Adam's first moment; the network of 2017 used 0.5.
        clip: largest norm of the gradient.
        average: decay of the smoothed weights per step.
        encoder: learning rate of the encoder relative to that of the decoders; 0 keeps it
            as it is, which only makes sense for a trained one.
    """

    steps: int | None = None
    minutes: float | None = None
    learning_rate: float = 1e-3
    final_rate: float = 0.02
    warmup_steps: int = 100
    beta1: float = 0.9
    clip: float = 1.0
    average: float = 0.998
    encoder: float = 1.0

    def progress(self, step: int, seconds: float) -> float:
        """How much of the training is done, 0 to 1 or above."""
        by_step = step / self.steps if self.steps else 0.0
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_step, by_time)

    def rate(self, step: int, progress: float) -> float:
        """Learning rate of a step."""
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(progress, 1.0))
        warmup = min((step + 1) / max(self.warmup_steps, 1), 1.0)
        return self.learning_rate * warmup * (self.final_rate + (1 - self.final_rate) * cosine)


CLASSIC_2017: Final = Schedule(
    learning_rate=5e-5, final_rate=1.0, warmup_steps=0, beta1=0.5, clip=math.inf, average=0.0
)
"""Adam as in 2017: constant rate, no clipping, no averaging."""


@dataclass(frozen=True)
class Rhythm:
    """How often what happens, in seconds.

    Attributes:
        checkpoint_s: between checkpoints.
        validation_s: between validations.
        refresh_s: between looks for new data.
        preview: draw preview.png and loss.png at every validation.
        validation_count: at most so many held-out faces.
    """

    checkpoint_s: float = 240.0
    validation_s: float = 60.0
    refresh_s: float = 30.0
    preview: bool = True
    validation_count: int = 64


@dataclass(frozen=True)
class Progress:
    """What a step reports.

    Attributes:
        step: steps done.
        seconds: time trained, over all resumed runs.
        done: share of the schedule, 0 to 1.
        rate: learning rate.
        losses: terms of the loss, smoothed.
        images_per_s: throughput since the start of this run.
        validation: latest validation, empty before the first.
    """

    step: int
    seconds: float
    done: float
    rate: float
    losses: dict[str, float]
    images_per_s: float
    validation: dict[str, float]
