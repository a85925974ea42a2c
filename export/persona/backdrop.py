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


def room(width: int, height: int) -> NDArray[np.float32]:
    """(height, width, 3) float32 BGR 0..1: an evening room, far out of focus."""
    ys, xs = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    wall = np.stack([0.36 - 0.1 * ys, 0.42 - 0.12 * ys, 0.50 - 0.13 * ys], axis=2)
    wall *= (0.75 + 0.45 * np.exp(-(((xs - 0.8) / 0.35) ** 2) - ((ys - 0.3) / 0.5) ** 2))[..., None]
    picture = np.asarray(wall, np.float32)

    def box(x: float, y: float, w: float, h: float, bgr: tuple[float, float, float]) -> None:
        corner = (int((x + w) * width), int((y + h) * height))
        cv2.rectangle(picture, (int(x * width), int(y * height)), corner, bgr, -1)

    box(0.02, 0.05, 0.25, 0.62, (0.93, 0.86, 0.74))  # a window
    box(0.135, 0.05, 0.015, 0.62, (0.45, 0.5, 0.55))
    box(0.02, 0.33, 0.25, 0.02, (0.45, 0.5, 0.55))
    box(0.7, 0.42, 0.32, 0.02, (0.16, 0.24, 0.34))  # a shelf with books
    rng = np.random.default_rng(5)
    x = 0.71
    while x < 0.98:
        w, h = rng.uniform(0.012, 0.03), rng.uniform(0.12, 0.2)
        shade = rng.uniform(0.15, 0.6, 3)
        box(x, 0.42 - h, w, h, (float(shade[0]), float(shade[1]), float(shade[2])))
        x += w + rng.uniform(0.0, 0.012)
    box(0.66, 0.74, 0.4, 0.3, (0.2, 0.27, 0.36))  # a chest of drawers
    picture = cv2.GaussianBlur(picture, (0, 0), width / 75).astype(np.float32)
    for _ in range(14):  # lamps out of focus are discs
        center = (int(rng.uniform(0.62, 1.0) * width), int(rng.uniform(0.5, 0.8) * height))
        disc = np.zeros_like(picture)
        radius = int(rng.uniform(0.008, 0.022) * width)
        cv2.circle(disc, center, radius, (0.25, 0.5, 0.75), -1, cv2.LINE_AA)
        picture += rng.uniform(0.15, 0.45) * cv2.GaussianBlur(disc, (0, 0), width / 500)
    return np.asarray(np.clip(picture, 0, 1), np.float32)
