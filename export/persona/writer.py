"""Pairs into shards, some of them held out; a stopped run goes on where it was."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from export.dataset import Pair, read_shard, write_shard

SHARD_PAIRS = 64
HOLDOUT_ONE_IN = 20


def held_out(identity: int) -> bool:
    """Whether training must never see this person."""
    return zlib.crc32(f"{identity}".encode()) % HOLDOUT_ONE_IN == 0


class Writer:
    """Collects pairs into shards and remembers how far it came.

    Args:
        folder: where shards go; it is made if needed.
        part: number of this process, counted from 0.
        parts: how many processes write into the folder.
    """

    def __init__(self, folder: Path, part: int, parts: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._part, self._parts = folder, part, parts
        self._state_path = folder / f"state-{part}-of-{parts}.json"
        state = {"next_job": 0, "shards": 0, "holdouts": 0, "pairs": 0}
        if self._state_path.exists():
            state |= json.loads(self._state_path.read_text())
        self.next_job, self.pairs = int(state["next_job"]), int(state["pairs"])
        self._shards, self._holdouts = int(state["shards"]), int(state["holdouts"])
        self._training: list[Pair] = []
        self._holdout: list[Pair] = []
        unfinished = self._path("holdout", self._holdouts)
        if unfinished.exists() and self.next_job:
            self._holdout = read_shard(unfinished).pairs()

    def _path(self, name: str, count: int) -> Path:
        return self._folder / f"{name}-{count * self._parts + self._part:05d}.npz"

    def add(self, pair: Pair) -> None:
        """Take one more pair."""
        (self._holdout if held_out(pair.identity) else self._training).append(pair)

    def finish_job(self, job: int) -> None:
        """Note that a job is complete; writes a shard when enough has come together."""
        self.next_job = job + 1
        if len(self._training) >= SHARD_PAIRS:
            self.flush()

    def flush(self) -> None:
        """Write everything collected so far."""
        if self._training:
            write_shard(self._path("shard", self._shards), self._training)
            self.pairs += len(self._training)
            self._shards += 1
            self._training = []
        if self._holdout:
            # Rewritten as it grows, until it is full.
            write_shard(self._path("holdout", self._holdouts), self._holdout)
            if len(self._holdout) >= SHARD_PAIRS:
                self._holdouts += 1
                self._holdout = []
        state = {
            "next_job": self.next_job,
            "shards": self._shards,
            "holdouts": self._holdouts,
            "pairs": self.pairs,
        }
        unfinished = self._state_path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(state))
        unfinished.replace(self._state_path)
