"""When to stop: validations tell whether a training still gets better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SIMILARITY: Final = "val_ssim_"
"""Begins the name of the SSIM of a side in a validation."""


@dataclass
class Stopping:
    """Follows the similarity (SSIM) of held-out faces.

    Attributes:
        patience: stop after so many validations without a better mean of both sides; None
            never does.
        until_ssim: stop when each side has reached this; None never does.
        best: best mean so far.
        stale: validations since.
        reached: whether `until_ssim` has been.
    """

    patience: int | None = None
    until_ssim: float | None = None
    best: float = 0.0
    stale: int = 0
    reached: bool = False

    @property
    def wanted(self) -> bool:
        """Whether it may end a training."""
        return self.patience is not None or self.until_ssim is not None

    def see(self, validation: Mapping[str, float]) -> bool:
        """Take note of a validation; returns whether it is the best so far."""
        similarities = [v for name, v in validation.items() if name.startswith(SIMILARITY)]
        if not similarities:
            return False
        mean = sum(similarities) / len(similarities)
        better = mean > self.best
        self.best = max(mean, self.best)
        self.stale = 0 if better else self.stale + 1
        self.reached = self.until_ssim is not None and min(similarities) >= self.until_ssim
        return better

    def reason(self) -> str | None:
        """Why to stop now, for people; None to go on."""
        if self.reached:
            return f"both sides have reached SSIM {self.until_ssim}"
        if self.patience is not None and self.stale >= self.patience:
            return f"no better than SSIM {self.best:.4f} in {self.stale} validations"
        return None
