"""A painted face of any skin tone under any light, with the truth of which pixels are skin.

Linear light: reflectances times a shaded sphere's light, exposed, given a camera's noise, and
only then coded as sRGB. No person is shown. Hair, a wooden and a gray wall are of colors near
to skin, so that a rule which accepts everything is found out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import regions
from engine.align import FULL_FACE
from engine.face import Image

SIZE = 256

MONK_TONES = (
    *("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96"),
    *("a07e56", "825c43", "604134", "3a312a", "292420"),
)
"""The ten swatches of the Monk Skin Tone scale in sRGB, light to dark (E. Monk, 2019; published
by Google as CC BY 4.0)."""

LIGHTS = {"neutral": (1.0, 1.0, 1.0), "warm": (1.25, 1.0, 0.62), "cool": (0.85, 1.0, 1.22)}
"""Color of the light, as R, G, B factors that a camera's white balance left over."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ShadedFace:
    """A picture and its truth.

    Attributes:
        image: (256, 256, 3) uint8 BGR, aligned as a model's crop.
        points: (478, 2) landmarks in its pixels.
        skin: bool, the face's own skin.
        face: bool, skin with eyes, brows and lips: what a mask should cover.
        other: bool, hair and walls: neither face nor neck.
    """

    image: Image
    points: Float
    skin: NDArray[np.bool_]
    face: NDArray[np.bool_]
    other: NDArray[np.bool_]


def shaded_face(tone: str, exposure_ev: float, light: str, seed: int) -> ShadedFace:
    """Paint one.

    Args:
        tone: of `MONK_TONES`.
        exposure_ev: stops more or less than what shows the swatch as it is.
        light: of `LIGHTS`.
        seed: of noise, and of the side that the light comes from.
    """
    random = np.random.default_rng(seed)
    points = _points() * SIZE - 0.5
    face = _drawn(_ellipse(0.5, 0.48, 0.32, 0.385))
    side = 1.0 if seed % 2 else -1.0
    skin_rgb = _linear(np.array([int(tone[i : i + 2], 16) for i in (0, 2, 4)]) / 255)
    scene = _walls(random)
    scene[_drawn(_ellipse(0.5, 0.40, 0.41, 0.42))] = _linear(np.array([0.24, 0.16, 0.11]))
    neck = np.zeros((SIZE, SIZE), np.bool_)
    neck[round(0.80 * SIZE) :, round(0.33 * SIZE) : round(0.67 * SIZE)] = True
    scene[neck] = 0.8 * skin_rgb
    scene[face] = skin_rgb
    blush = _blob(0.3, 0.52, 0.1) + _blob(0.7, 0.52, 0.1) + 0.7 * _blob(0.5, 0.48, 0.07)
    scene[face] *= 1.0 + blush[face][:, None] * np.array([0.04, -0.08, -0.08])
    pores = cv2.GaussianBlur(random.normal(0.0, 1.0, (SIZE, SIZE)), (0, 0), 1.2)
    scene *= 1.0 + 0.06 * pores[:, :, None]
    features = np.zeros((SIZE, SIZE), np.bool_)
    for part, rgb in (
        (regions.LIPS, skin_rgb * (0.75, 0.42, 0.45)),
        (regions.RIGHT_BROW, _linear(np.array([0.18, 0.12, 0.09]))),
        (regions.LEFT_BROW, _linear(np.array([0.18, 0.12, 0.09]))),
        (regions.RIGHT_EYE, _linear(np.array([0.55, 0.52, 0.5]))),
        (regions.LEFT_EYE, _linear(np.array([0.55, 0.52, 0.5]))),
    ):
        where = _drawn(points[part])
        scene[where] = rgb
        features |= where
    light_rgb = np.array(LIGHTS[light]) * 2.0**exposure_ev
    sensed = scene * _shading(side)[:, :, None]
    shine = _blob(0.5 + 0.04 * side, 0.44, 0.03) + _blob(0.5, 0.24, 0.06)
    sensed[face] += 0.03 * shine[face][:, None]
    sensed *= light_rgb
    sensed += random.normal(0.0, 1.0, sensed.shape) * np.sqrt(1e-6 + 2.5e-4 * sensed)
    coded = np.rint(255 * _coded(np.clip(sensed, 0.0, 1.0)))
    image = np.ascontiguousarray(coded[:, :, ::-1]).astype(np.uint8)
    return ShadedFace(image, points, face & ~features, face, ~(face | neck))


def _points() -> Float:
    """Landmarks of a plain face: the alignment's own, the rest where these parts belong."""
    points = _ellipse(0.5, 0.48, 0.32, 0.385, 478)
    for part, (x, y, rx, ry) in {
        "RIGHT_BROW": (0.34, 0.25, 0.1, 0.018),
        "LEFT_BROW": (0.66, 0.25, 0.1, 0.018),
        "RIGHT_EYE": (0.36, 0.335, 0.06, 0.025),
        "LEFT_EYE": (0.64, 0.335, 0.06, 0.025),
        "LIPS": (0.5, 0.64, 0.13, 0.045),
    }.items():
        indices = getattr(regions, part)
        points[indices] = _ellipse(x, y, rx, ry, len(indices))
    places = ((0.34, 0.5, 0.05), (0.66, 0.5, 0.05), (0.5, 0.44, 0.03), (0.5, 0.22, 0.05))
    for patch, (x, y, radius) in zip(regions.SKIN_PATCHES, places, strict=True):
        points[patch] = _ellipse(x, y, radius, radius, len(patch))
    points[FULL_FACE.indices] = FULL_FACE.template
    return points


def _ellipse(x: float, y: float, rx: float, ry: float, count: int = 90) -> Float:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([x + rx * np.cos(angle), y + ry * np.sin(angle)])


def _drawn(outline: Float) -> NDArray[np.bool_]:
    """Inside of an outline, in pixels or (below 2) in the unit square."""
    pixels = outline * SIZE - 0.5 if outline.max() < 2.0 else outline
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    hull = cv2.convexHull(np.rint(pixels).astype(np.int32))
    cv2.fillConvexPoly(canvas, hull, 1)
    return canvas > 0


def _walls(random: np.random.Generator) -> Float:
    scene = np.empty((SIZE, SIZE, 3))
    scene[:, : SIZE // 2] = _linear(np.array([0.62, 0.47, 0.33]))  # wood
    scene[:, SIZE // 2 :] = _linear(np.array([0.55, 0.55, 0.54]))
    grain = cv2.resize(random.normal(0.0, 0.15, (SIZE, 24)), (SIZE, SIZE))
    scene[:, : SIZE // 2] *= np.exp(grain[:, : SIZE // 2])[:, :, None]
    return scene


def _shading(side: float) -> Float:
    """Light on a head: 0.35 in the shade to 1.05, half of a wall's."""
    axis = (np.arange(SIZE) + 0.5) / SIZE
    x, y = (axis[None, :] - 0.5) / 0.36, (axis[:, None] - 0.48) / 0.43
    z = np.sqrt(np.clip(1.0 - x * x - y * y, 0.04, 1.0))
    direction = np.array([0.55 * side, -0.35, 0.76])
    facing = np.clip(direction[0] * x + direction[1] * y + direction[2] * z, 0.0, None)
    return np.asarray(np.where(x * x + y * y < 1.0, 0.35 + 0.7 * facing, 0.8))


def _blob(x: float, y: float, radius: float) -> Float:
    axis = (np.arange(SIZE) + 0.5) / SIZE
    away = ((axis[None, :] - x) ** 2 + (axis[:, None] - y) ** 2) / radius**2
    return np.asarray(np.exp(-0.5 * away))


def _linear(coded: Float) -> Float:
    """SRGB 0..1 to linear light."""
    return np.asarray(np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4))


def _coded(linear: Float) -> Float:
    """Linear light to sRGB, 0..1."""
    return np.asarray(
        np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    )
