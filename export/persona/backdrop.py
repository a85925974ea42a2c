"""Backgrounds behind a rendered head."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def random_backdrop(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """(height, width, 3) float32 BGR 0..1: a muted wall, blurred shapes, some grain."""
    tone = rng.uniform(0.08, 0.9)
    tint = np.clip(rng.normal(0, 0.06, 3), -0.15, 0.15)
    cells = int(rng.integers(2, 9))
    blobs = rng.uniform(-0.5, 0.5, (cells, cells, 3)).astype(np.float32)
    gray = blobs.mean(axis=2, keepdims=True)
    blobs = gray + rng.uniform(0, 0.8) * (blobs - gray)
    soft = cv2.resize(blobs, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = tone + tint + rng.uniform(0.1, 0.8) * soft
    for _ in range(rng.integers(0, 5)):  # furniture, windows, shelves
        x, y = rng.uniform(-0.2, 1.0, 2) * (width, height)
        w, h = rng.uniform(0.05, 0.6, 2) * (width, height)
        color = np.clip(rng.uniform(0, 1) + rng.normal(0, 0.1, 3), 0, 1).tolist()
        corner = (int(x + w), int(y + h))
        cv2.rectangle(picture, (int(x), int(y)), corner, color, -1)
    sigma = rng.uniform(0.5, 14) * height / 384
    blurred = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), sigma)
    grain = rng.normal(0, rng.uniform(0, 0.03), (height, width, 1))
    return np.asarray(np.clip(blurred + grain, 0, 1), np.float32)
