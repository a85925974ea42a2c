"""Shards of pairs and the geometry of their crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import align
from engine.align import FULL_FACE
from export.dataset import (
    STORED_SIZE,
    STORED_SPAN,
    UNIT_SIZE,
    Kind,
    Pair,
    face_hull,
    frame_to_stored,
    read_shard,
    stored_to_crop,
    write_shard,
)


def landmarks(seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(80, 200, (478, 2))
    points[FULL_FACE.indices] = FULL_FACE.template * 150 + 60
    return points.astype(np.float32)


def random_pair(seed: int) -> Pair:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 256, (2, STORED_SIZE, STORED_SIZE, 3), np.uint8)
    return Pair(a, b, landmarks(seed), landmarks(seed + 1), Kind(seed % 2), seed)


def test_the_unit_square_is_the_middle_of_a_stored_crop() -> None:
    points = landmarks()
    stored = align.apply(frame_to_stored(points), points)[FULL_FACE.indices]
    border = (STORED_SIZE - UNIT_SIZE) / 2
    assert stored == pytest.approx(FULL_FACE.template * UNIT_SIZE + border - 0.5, abs=1e-3)
    assert pytest.approx(STORED_SIZE) == UNIT_SIZE * STORED_SPAN


@pytest.mark.parametrize("size", [64, 128, 224])
def test_cutting_the_stored_crop_is_cutting_the_frame(size: int) -> None:
    points = landmarks()
    stored = align.apply(frame_to_stored(points), points)
    direct = align.apply(FULL_FACE.frame_to_crop(points, size), points)
    assert align.apply(stored_to_crop(size), stored) == pytest.approx(direct, abs=1e-6)


def test_a_shard_comes_back_as_it_was_written(tmp_path: Path) -> None:
    pairs = [random_pair(seed) for seed in range(3)]
    write_shard(tmp_path / "shard-00000.npz", pairs)
    shard = read_shard(tmp_path / "shard-00000.npz")
    assert len(shard) == 3
    for before, after in zip(pairs, shard.pairs(), strict=True):
        assert (before.a == after.a).all()
        assert (before.b == after.b).all()
        assert (before.a_landmarks == after.a_landmarks).all()
        assert (before.b_landmarks == after.b_landmarks).all()
        assert (before.kind, before.identity) == (after.kind, after.identity)
    assert (shard.mask[1] == face_hull(pairs[1].b_landmarks)).all()
    assert (shard.a_mask[1] == face_hull(pairs[1].a_landmarks)).all()
    assert [path.name for path in tmp_path.iterdir()] == ["shard-00000.npz"]


def test_the_hull_covers_the_landmarks_and_no_more() -> None:
    points = np.array([(10, 10), (50, 10), (50, 30), (10, 30), (30, 20)], np.float32)
    mask = face_hull(points, 64)
    assert mask[20, 30] == mask[11, 11] == mask[29, 49] == 255
    assert mask[20, 5] == mask[40, 30] == 0
    assert set(np.unique(mask)) == {0, 255}
