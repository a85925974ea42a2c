"""What cameras, light and compression do to a face: random changes to a small picture.

Everything works on uint8 BGR pictures of the network's input size, where a change costs
microseconds. None of it moves a pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.face import Image

_RAMP = np.arange(256, dtype=np.float32) / 255.0
# Pieces of one tile of noise, cut out anywhere, cost a tenth of new noise.
_NOISE = np.random.default_rng(0).standard_normal((512, 512), np.float32)
_GRAY = np.array([0.114, 0.587, 0.299], np.float32)  # BGR, BT.601


def random_camera(image: Image, rng: np.random.Generator) -> Image:
    """Apply a random mix of tone, saturation, light, softness, noise and compression.

    Args:
        image: (S, S, 3) uint8 BGR, not changed.
        rng: source of all randomness.

    Returns:
        (S, S, 3) uint8 BGR, a new array.
    """
    image = random_tone(image, rng)
    if rng.random() < 0.35:
        image = random_light(image, rng)
    if rng.random() < 0.35:
        image = random_softness(image, rng)
    if rng.random() < 0.35:
        image = random_noise(image, rng)
    if rng.random() < 0.35:
        image = random_jpeg(image, rng)
    return image


def random_tone(image: Image, rng: np.random.Generator) -> Image:
    """Change gain, white balance, contrast, gamma and saturation; sometimes drop all color."""
    gains = rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, 3)
    contrast, gamma = rng.uniform(0.8, 1.2), rng.uniform(0.75, 1.33)
    curve = (_RAMP ** np.float32(gamma) - np.float32(0.5)) * np.float32(contrast) + np.float32(0.5)
    table = curve[:, None, None] * (255.0 * gains).astype(np.float32)
    toned = cv2.LUT(image, cv2.convertScaleAbs(np.maximum(table, 0)))  # rounds and saturates
    saturation = 0.0 if rng.random() < 0.06 else rng.uniform(0.6, 1.3)
    mix = saturation * np.eye(3, dtype=np.float32) + (1.0 - saturation) * _GRAY
    return np.asarray(cv2.transform(toned, mix), np.uint8)


def random_light(image: Image, rng: np.random.Generator) -> Image:
    """Multiply by a random ramp: a lamp or a window at one side."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)
    line = np.linspace(-1, 1, image.shape[0], dtype=np.float32)
    ramp = np.cos(angle, dtype=np.float32) * line + np.sin(angle, dtype=np.float32) * line[:, None]
    tint = (strength * rng.uniform(0.7, 1.3, 3)).tolist()
    gain = cv2.merge([ramp * share + np.float32(1) for share in tint])
    return np.asarray(cv2.multiply(image, gain, dtype=cv2.CV_8U), np.uint8)


def random_softness(image: Image, rng: np.random.Generator) -> Image:
    """Lose detail: shrink and enlarge, or smear along a line as a moving head does."""
    size = image.shape[0]
    if rng.random() < 0.7:
        small = int(size * rng.uniform(0.3, 0.9))
        shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(shrunk, (size, size)), np.uint8)
    kernel = np.zeros((7, 7), np.uint8)
    dx, dy = rng.integers(-3, 4, 2).tolist()
    cv2.line(kernel, (3 - dx, 3 - dy), (3 + dx, 3 + dy), 1)
    smear = kernel.astype(np.float32) / kernel.sum()
    return np.asarray(cv2.filter2D(image, -1, smear, borderType=cv2.BORDER_REPLICATE), np.uint8)


def random_noise(image: Image, rng: np.random.Generator) -> Image:
    """Add sensor noise, half of the time the same in all channels.

    Args:
        image: (S, S, 3) uint8 BGR, not changed; S is at most 512.
        rng: source of all randomness.

    Returns:
        (S, S, 3) uint8 BGR, a new array.
    """
    size, (tile, _) = image.shape[0], _NOISE.shape
    sigma = rng.uniform(1.0, 9.0)
    places = rng.integers(0, tile - size + 1, (3, 2)).tolist()
    if rng.random() < 0.5:
        places = places[:1] * 3
    noise = cv2.merge([_NOISE[y : y + size, x : x + size] for y, x in places])
    return np.asarray(cv2.addWeighted(image, 1.0, noise, sigma, 0.0, dtype=cv2.CV_8U), np.uint8)


def random_jpeg(image: Image, rng: np.random.Generator) -> Image:
    """Compress and decompress."""
    quality = int(rng.integers(20, 90))
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
