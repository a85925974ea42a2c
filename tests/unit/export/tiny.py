"""Pairs small enough for a test."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from export.dataset import STORED_SIZE, Shard, face_hull


def face(rng: np.random.Generator, size: int = STORED_SIZE) -> np.ndarray:
    """A round thing with two dark spots, anywhere near the center."""
    image = np.full((size, size, 3), rng.integers(0, 120, 3), np.uint8)
    x, y = (size // 2 + rng.integers(-size // 12, size // 12, 2)).tolist()
    color = rng.integers(130, 255, 3).tolist()
    cv2.ellipse(image, (x, y), (size // 4, size // 3), 0, 0, 360, color, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(image, (x + side * size // 10, y - size // 10), size // 24, (20, 20, 20), -1)
    return image


def landmarks(rng: np.random.Generator) -> np.ndarray:
    """Points in the middle of a stored crop."""
    return rng.uniform(60, 130, (478, 2)).astype(np.float32)


def shard(count: int, seed: int = 0) -> Shard:
    """Pairs in which B is the mirrored negative of A."""
    rng = np.random.default_rng(seed)
    a = np.stack([face(rng) for _ in range(count)])
    points = np.stack([landmarks(rng) for _ in range(count)])
    hulls = np.stack([face_hull(one) for one in points])
    return Shard(
        a=a,
        b=np.ascontiguousarray(255 - a[:, :, ::-1]),
        mask=hulls,
        a_mask=hulls,
        a_landmarks=points,
        b_landmarks=points,
        kind=(np.arange(count) % 2).astype(np.uint8),
        identity=np.arange(count, dtype=np.int32),
    )


def write(path: Path, pairs: Shard) -> None:
    """Store a shard; both kinds alternate."""
    np.savez(path, **{name: getattr(pairs, name) for name in Shard.__dataclass_fields__})
