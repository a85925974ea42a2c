"""Training data in pairs: shards of somebody and the persona doing the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, is_zipfile

import numpy as np

from export.augment import NO_AUGMENT, PairAugment, Sample, paired_sample
from export.dataset import Kind, MaskedPair, Shard, list_shards, read_shard
from export.errors import TrainingError
from export.model import Plan, Side
from export.regions import is_expressive
from export.samples import Batch, spread, stack

_SIDES: Final[tuple[Side, Side]] = ("b", "a")

# An expressive pair is drawn at most so many times as often as without `expressive_share`:
# a few rare pictures would be learned by heart.
_MOST_OFTEN: Final = 5.0


@dataclass(frozen=True)
class PairBatches:
    """How batches are drawn from pairs.

    Attributes:
        size: samples per step.
        own_share: share of them that decoder A draws.
        photo_share: share of samples whose A is a photograph, as far as there are any.
        expressive_share: share of the samples of each kind that is drawn from those with
            shut eyes or a wide-open mouth; less if there are so few that each would come
            more than five times as often as it lies in the folder.
        augment: how samples are varied.
    """

    size: int = 32
    own_share: float = 0.19
    photo_share: float = 0.4
    expressive_share: float = 0.45
    augment: PairAugment = field(default_factory=PairAugment)


class PairFolder:
    """A folder of shards, which may still be growing.

    Args:
        folder: holds shard-*.npz and holdout-*.npz, see `export.dataset`.
        plan: network to make samples for.
        batches: how to draw them.
        seed: of all randomness.

    Raises:
        TrainingError: there is no shard yet, or one is damaged.
    """

    def __init__(self, folder: Path, plan: Plan, batches: PairBatches, seed: int) -> None:
        self.folder, self.plan, self.batches, self.seed = folder, plan, batches, seed
        self._read: set[Path] = set()
        self._pairs: dict[Kind, list[MaskedPair]] = {kind: [] for kind in Kind}
        self._expressive: dict[Kind, list[MaskedPair]] = {kind: [] for kind in Kind}
        self.refresh()
        if not self._read:
            raise TrainingError(
                f"{folder} has no shard-*.npz, expected at least one; "
                "make pairs with the persona generator first"
            )

    def refresh(self) -> int:
        """Load shards that were added since; returns how many pairs there are now."""
        for path in list_shards(self.folder):
            if path not in self._read:
                shard = load_shard(path)
                self._read.add(path)
                # New lists, because another thread may be drawing from the old ones.
                pairs = {kind: list(known) for kind, known in self._pairs.items()}
                expressive = {kind: list(known) for kind, known in self._expressive.items()}
                for pair in shard.masked():
                    pairs[pair.kind].append(pair)
                    if is_expressive(pair.b_landmarks, pair.kind):
                        expressive[pair.kind].append(pair)
                self._pairs, self._expressive = pairs, expressive
        return sum(map(len, self._pairs.values()))

    def counts(self) -> dict[str, int]:
        """Pairs by kind."""
        return {kind.name.lower(): len(pairs) for kind, pairs in self._pairs.items()}

    def draw(self, step: int) -> list[Batch]:
        """Samples of one step: a batch for decoder B, one for decoder A."""
        rng = np.random.default_rng((self.seed, step))
        own = round(self.batches.size * self.batches.own_share)
        counts = zip(_SIDES, (self.batches.size - own, own), strict=True)
        return [
            stack(side, [self._sample(rng, side) for _ in range(count)])
            for side, count in counts
            if count
        ]

    def _sample(self, rng: np.random.Generator, side: Side) -> Sample:
        pairs, expressive = self._pairs, self._expressive
        kind = Kind.PHOTO if rng.random() < self.batches.photo_share else Kind.RENDER
        if not pairs[kind]:
            kind = Kind.RENDER if kind is Kind.PHOTO else Kind.PHOTO
        chosen, rare = pairs[kind], expressive[kind]
        share = min(self.batches.expressive_share, _MOST_OFTEN * len(rare) / len(chosen))
        if rng.random() < share:
            chosen = rare
        pair = chosen[int(rng.integers(len(chosen)))]
        return self._cut(pair, rng, self.batches.augment, side)

    def validation(self, count: int) -> list[Batch]:
        """Unchanged held-out pairs, the same every time; photographs first.

        Args:
            count: at most so many pairs; half of them photographs if there are enough.
        """
        paths = list_shards(self.folder, holdout=True)
        pairs = [pair for path in paths for pair in load_shard(path).masked()]
        by_kind = {kind: [pair for pair in pairs if pair.kind == kind] for kind in Kind}
        photos = spread(by_kind[Kind.PHOTO], (count + 1) // 2)
        chosen = photos + spread(by_kind[Kind.RENDER], count - len(photos))
        rng = np.random.default_rng(self.seed)
        return [
            stack(side, [self._cut(pair, rng, NO_AUGMENT, side) for pair in chosen])
            for side in _SIDES
            if chosen
        ]

    def _cut(
        self, pair: MaskedPair, rng: np.random.Generator, augment: PairAugment, side: Side
    ) -> Sample:
        return paired_sample(
            pair,
            rng,
            augment,
            side=side,
            input_size=self.plan.input_size,
            output_size=self.plan.output_size,
        )


def load_shard(path: Path) -> Shard:
    """Read a whole shard that somebody else may have damaged.

    Raises:
        TrainingError: it is missing, cut off, or no shard.
    """
    try:
        if not is_zipfile(path):  # NumPy would leave a cut-off file open
            raise BadZipFile("cut off, or no npz file at all")  # noqa: TRY301
        return read_shard(path)
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise TrainingError(
            f"{path} is no shard of pairs ({error}); remove it and make its pairs again"
        ) from error
