"""Shards, people held out, and going on after a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export.dataset import STORED_SIZE, Kind, Pair, list_shards, read_shard
from export.persona.writer import Writer, held_out

KEPT = next(number for number in range(100) if not held_out(number))
HELD = next(number for number in range(100) if held_out(number))


def pair(identity: int) -> Pair:
    picture = np.zeros((STORED_SIZE, STORED_SIZE, 3), np.uint8)
    landmarks = np.random.default_rng(identity).uniform(30, 160, (478, 2)).astype(np.float32)
    return Pair(picture, picture, landmarks, landmarks, Kind.RENDER, identity)


def test_about_one_in_twenty_people_is_held_out() -> None:
    share = np.mean([held_out(identity) for identity in range(4000)])
    assert 0.03 < share < 0.07


def test_held_out_people_never_reach_the_training_shards(tmp_path: Path) -> None:
    writer = Writer(tmp_path, 0, 1)
    for identity in (KEPT, HELD, KEPT):
        writer.add(pair(identity))
    writer.flush()
    (training,), (holdout,) = list_shards(tmp_path), list_shards(tmp_path, holdout=True)
    assert read_shard(training).identity.tolist() == [KEPT, KEPT]
    assert read_shard(holdout).identity.tolist() == [HELD]


def test_a_second_run_goes_on_and_completes_the_held_out_shard(tmp_path: Path) -> None:
    first = Writer(tmp_path, 1, 2)
    first.add(pair(HELD))
    first.add(pair(KEPT))
    first.finish_job(7)
    first.flush()
    second = Writer(tmp_path, 1, 2)
    assert second.next_job == 8
    assert second.pairs == 1
    second.add(pair(HELD))
    second.add(pair(KEPT))
    second.flush()
    assert [path.name for path in list_shards(tmp_path)] == ["shard-00001.npz", "shard-00003.npz"]
    (holdout,) = list_shards(tmp_path, holdout=True)
    assert len(read_shard(holdout)) == 2
