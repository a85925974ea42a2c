"""Things in front of a face: hands, microphones, cups, sunglasses, hair.

They are crude on purpose. The network has to learn that something is in front of the face,
not what it is; so shapes, sizes, colors and textures vary widely and look alike only in
being opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np

from engine.face import Image

Draw: TypeAlias = Callable[[Image, np.random.Generator], None]
"""Paints 255 on a (S, S) uint8 canvas where the thing is opaque."""


def random_occluder(image: Image, rng: np.random.Generator) -> tuple[Image, Image]:
    """Put one random thing in front of a face.

    Args:
        image: (S, S, 3) uint8 BGR aligned face, not changed.
        rng: source of all randomness.

    Returns:
        The (S, S, 3) uint8 picture with the thing, and its (S, S) uint8 opacity.
    """
    size = image.shape[0]
    canvas = np.zeros((size, size), np.uint8)
    draw, skin_like = _THINGS[int(rng.integers(len(_THINGS)))]
    draw(canvas, rng)
    if skin_like and rng.random() < 0.7:
        middle = image[size // 3 : 2 * size // 3, size // 3 : 2 * size // 3]
        base = middle.reshape(-1, 3).mean(axis=0) * rng.uniform(0.7, 1.2)
    else:
        base = rng.uniform(0, 255, 3) * rng.uniform(0.3, 1.0)
    # Coarse cells give folds and shading, fine ones texture.
    texture = np.zeros((size, size), np.float32)
    for cells, strength in ((4, 25.0), (int(rng.integers(8, 33)), rng.uniform(0, 30))):
        cell_noise = rng.standard_normal((cells, cells), np.float32)
        cv2.scaleAdd(cv2.resize(cell_noise, (size, size)), strength, texture, texture)
    softness = 2 * int(rng.integers(0, 3)) + 1
    opacity = np.asarray(cv2.blur(canvas, (softness, softness)), np.uint8)
    covered = image.copy()
    left, top, width, height = cv2.boundingRect(opacity)
    if width and height:
        box = np.s_[top : top + height, left : left + width]
        planes = [cv2.add(texture[box], color, dtype=cv2.CV_8U) for color in base.tolist()]
        change = cv2.subtract(cv2.merge(planes), image[box], dtype=cv2.CV_16S)
        share = cv2.merge([opacity[box]] * 3)
        change = cv2.multiply(change, share, scale=1 / 255, dtype=cv2.CV_16S)
        covered[box] = cv2.add(image[box], change, dtype=cv2.CV_8U)
    return covered, opacity


def random_glasses(image: Image, rng: np.random.Generator) -> Image:
    """Draw the thin frame of a pair of clear glasses at about the place of the eyes.

    Unlike the things of `random_occluder` a thin frame belongs to the face and is swapped
    away with it: the mask does not change.

    Returns:
        (S, S, 3) uint8 BGR, a new array.
    """
    framed = image.copy()
    color = (rng.uniform(0, 90) * np.ones(3) + rng.uniform(-20, 20, 3)).clip(0, 255).tolist()
    thickness = int(rng.integers(1, 4))
    _spectacles(framed, rng, color, thickness)
    shine = rng.uniform(0.6, 1.0)
    return np.asarray(cv2.addWeighted(framed, shine, image, 1 - shine, 0), np.uint8)


def _spectacles(
    canvas: Image, rng: np.random.Generator, color: list[float], thickness: int
) -> None:
    """Two lenses and a bridge; thickness -1 fills the lenses."""
    size = canvas.shape[0]
    half = rng.uniform(0.09, 0.12)
    y, spread = rng.uniform(0.32, 0.37), rng.uniform(0.13, 0.15)
    axes = (int(size * half), int(size * half * rng.uniform(0.6, 1.0)))
    centers = [(int(size * (0.5 + sign * spread)), int(size * y)) for sign in (-1, 1)]
    for center in centers:
        cv2.ellipse(canvas, center, axes, 0, 0, 360, color, thickness, cv2.LINE_AA)
    bridge = max(abs(thickness), 1)
    inner = [(centers[0][0] + axes[0], centers[0][1]), (centers[1][0] - axes[0], centers[1][1])]
    cv2.line(canvas, inner[0], inner[1], color, bridge, cv2.LINE_AA)


def _edge_point(size: int, rng: np.random.Generator) -> tuple[int, int]:
    """A point a little outside the picture, seldom above it: things come from below."""
    along, side = rng.uniform(0, size), rng.random()
    if side < 0.5:
        return int(along), int(1.1 * size)
    if side < 0.9:
        return int((-0.1 if side < 0.7 else 1.1) * size), int(along)
    return int(along), int(-0.1 * size)


def _inner_point(size: int, rng: np.random.Generator) -> tuple[int, int]:
    return int(size * rng.uniform(0.2, 0.8)), int(size * rng.uniform(0.25, 0.9))


def _hand(canvas: Image, rng: np.random.Generator) -> None:
    size = canvas.shape[0]
    start, tip = np.array(_edge_point(size, rng)), np.array(_inner_point(size, rng))
    reach = tip - start
    length = float(np.hypot(*reach)) + 1e-6
    across = np.array([-reach[1], reach[0]]) / length
    width = size * rng.uniform(0.05, 0.09)
    fingers = int(rng.integers(1, 5))
    knuckle = start + reach * rng.uniform(0.4, 0.7)
    for finger in range(fingers):
        offset = across * width * 1.1 * (finger - (fingers - 1) / 2)
        bend = reach * rng.uniform(-0.1, 0.1) + across * size * rng.uniform(-0.04, 0.04)
        ends = [(knuckle + offset).astype(int).tolist(), (tip + offset + bend).astype(int).tolist()]
        cv2.line(canvas, ends[0], ends[1], 255, max(int(width), 1), cv2.LINE_AA)
    palm = max(int(width * max(fingers, 2)), 1)
    cv2.line(canvas, start.tolist(), knuckle.astype(int).tolist(), 255, palm, cv2.LINE_AA)


def _microphone(canvas: Image, rng: np.random.Generator) -> None:
    size = canvas.shape[0]
    head = _inner_point(size, rng)
    handle = max(int(size * rng.uniform(0.03, 0.1)), 1)
    cv2.line(canvas, _edge_point(size, rng), head, 255, handle, cv2.LINE_AA)
    axes = (int(size * rng.uniform(0.06, 0.16)), int(size * rng.uniform(0.06, 0.16)))
    cv2.ellipse(canvas, head, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)


def _blob(canvas: Image, rng: np.random.Generator) -> None:
    size, corners = canvas.shape[0], int(rng.integers(4, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = size * rng.uniform(0.08, 0.35, corners)
    center = np.array(_edge_point(size, rng)) * 0.5 + np.array(_inner_point(size, rng)) * 0.5
    points = center + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    cv2.fillPoly(canvas, [points.astype(np.int32)], 255, cv2.LINE_AA)


def _bar(canvas: Image, rng: np.random.Generator) -> None:
    size = canvas.shape[0]
    width = max(int(size * rng.uniform(0.04, 0.2)), 1)
    cv2.line(canvas, _edge_point(size, rng), _inner_point(size, rng), 255, width, cv2.LINE_AA)


def _cover(canvas: Image, rng: np.random.Generator) -> None:
    """A scarf, a sheet of paper, a face mask: everything beyond one line."""
    size = canvas.shape[0]
    left, right = (size * rng.uniform(0.5, 0.85, 2)).astype(int).tolist()
    corners = np.array([[0, left], [size, right], [size, size], [0, size]], np.int32)
    turns = int(rng.choice([0, 0, 0, 1, 3]))
    cv2.fillPoly(canvas, [corners], 255, cv2.LINE_AA)
    canvas[:] = np.rot90(canvas, turns)


def _sunglasses(canvas: Image, rng: np.random.Generator) -> None:
    _spectacles(canvas, rng, [255.0, 255.0, 255.0], -1)


def _strands(canvas: Image, rng: np.random.Generator) -> None:
    """Locks of hair that fall from above."""
    size = canvas.shape[0]
    x = size * rng.uniform(0.1, 0.9)
    for _ in range(int(rng.integers(2, 7))):
        steps = np.linspace(0, 1, 6)
        xs = x + size * (rng.uniform(-0.08, 0.08) + rng.uniform(-0.25, 0.25) * steps**2)
        ys = size * steps * rng.uniform(0.25, 0.7)
        points = np.column_stack([xs, ys]).astype(np.int32)
        width = max(int(size * rng.uniform(0.01, 0.05)), 1)
        cv2.polylines(
            canvas, [points], isClosed=False, color=255, thickness=width, lineType=cv2.LINE_AA
        )


# What it looks like, and whether it often has the color of the face.
_THINGS: Final[tuple[tuple[Draw, bool], ...]] = (
    (_hand, True),
    (_hand, True),
    (_microphone, False),
    (_blob, True),
    (_bar, False),
    (_cover, False),
    (_sunglasses, False),
    (_strands, False),
)
