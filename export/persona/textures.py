"""Albedo pictures: read, blend and paint them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from export.persona.errors import AssetError
from export.persona.scene import Texture

Rgba = NDArray[np.uint8]
"""(H, W, 4) uint8 RGBA, top row first."""

FINE_SKIN = "middleage_caucasian_male_2048"
"""The one skin that exists at full resolution; its pores sharpen the others."""

_IRIS_CENTERS = ((0.704, 0.296), (0.291, 0.704))
_IRIS_RADIUS = 0.118


@lru_cache(maxsize=64)
def read(path: Path) -> Rgba:
    """Read a picture with or without coverage; the array is shared, do not change it.

    Raises:
        AssetError: there is no readable picture.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise AssetError(f"{path}: expected a color picture; see export/persona/ORIGIN.md")
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGBA), np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), np.uint8)


def load(path: Path) -> Texture:
    """A picture file as it is."""
    return Texture(path.stem, read(path))


def skin_names(assets: Path) -> list[str]:
    """Names of all skins, sorted, without the full-resolution one."""
    names = [path.stem for path in sorted((assets / "textures" / "skins").glob("*.png"))]
    return [name for name in names if name != FINE_SKIN]


@lru_cache(maxsize=2)
def _pores(assets: Path, size: int) -> NDArray[np.float32]:
    fine = read(assets / "textures" / "skins" / f"{FINE_SKIN}.png")[..., :3].astype(np.float32)
    coarse = cv2.resize(fine, (512, 512), interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(coarse, fine.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    pores = cv2.resize(fine - smooth, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(pores, np.float32)


def blend_skins(
    assets: Path, shares: Mapping[str, float], size: int, detail: float = 1.0
) -> NDArray[np.float32]:
    """Mix skins and add the fine skin's pores.

    Args:
        assets: the folder of assets.
        shares: weight of each skin by name; they should sum to 1.
        size: side of the result; all skins share one layout.
        detail: factor on the pores, which 512 px skins lack.

    Returns:
        (size, size, 3) float32 RGB 0..255, a new array.
    """
    mixed = np.zeros((512, 512, 3), np.float32)
    for name, share in shares.items():
        skin = read(assets / "textures" / "skins" / f"{name}.png")[..., :3].astype(np.float32)
        mixed += share * cv2.resize(skin, (512, 512), interpolation=cv2.INTER_AREA)
    large = cv2.resize(mixed, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large + detail * _pores(assets, size), np.float32)


def opaque(name: str, rgb: NDArray[np.float32]) -> Texture:
    """(H, W, 3) float RGB 0..255 as a texture without holes."""
    pixels = np.clip(rgb + 0.5, 0, 255).astype(np.uint8)
    return Texture(name, cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA))


def plain(name: str, rgb: tuple[int, int, int]) -> Texture:
    """One color."""
    return Texture(name, np.full((4, 4, 4), (*rgb, 255), np.uint8))


def paint_spots(
    rgb: NDArray[np.float32],
    spots: Sequence[tuple[float, float, float, float]],
    color: tuple[float, float, float],
) -> None:
    """Paint soft round spots into a picture, in place.

    Args:
        rgb: (S, S, 3) float32 RGB 0..255, changed.
        spots: u, v (origin at the lower left), radius in texture units, and opacity 0..1.
        color: RGB 0..255 that the picture is multiplied with, over 255.
    """
    size = rgb.shape[0]
    factor = np.asarray(color, np.float32) / 255
    for u, v, radius, opacity in spots:
        x, y, reach = u * size, (1 - v) * size, radius * size
        box = int(np.ceil(reach * 3)) + 1
        left, top = max(int(x) - box, 0), max(int(y) - box, 0)
        patch = rgb[top : int(y) + box, left : int(x) + box]
        ys, xs = np.mgrid[top : top + patch.shape[0], left : left + patch.shape[1]]
        distance = np.hypot(xs + 0.5 - x, ys + 0.5 - y) / reach
        strength = (opacity / (1 + distance**6))[..., None].astype(np.float32)
        patch *= 1 - strength * (1 - factor)


def thicken(path: Path) -> Rgba:
    """Read a picture of brows and make its thin hairs cover more; returns a new array."""
    pixels = read(path).copy()
    cover = cv2.dilate(pixels[..., 3], np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    pixels[..., 3] = np.clip(255 * cover**0.6, 0, 255)
    return pixels


def recolor_iris(
    pixels: Rgba, inner: tuple[float, float, float], outer: tuple[float, float, float]
) -> Rgba:
    """Give an eye picture another iris, keeping its fibers and pupil.

    Args:
        pixels: (S, S, 4) uint8 RGBA in the layout of the rig's eyes; not changed.
        inner: RGB 0..255 around the pupil.
        outer: RGB 0..255 at the rim.
    """
    size = pixels.shape[0]
    ys, xs = (np.mgrid[0:size, 0:size] + 0.5) / size
    rgb = pixels[..., :3].astype(np.float64)
    brightness = rgb.mean(axis=2, keepdims=True) / 150
    for x, y in _IRIS_CENTERS:
        distance = np.hypot(xs - x, ys - y)[..., None] / _IRIS_RADIUS
        inside = np.clip((1.0 - distance) / 0.08, 0, 1)
        ramp = np.clip((distance - 0.4) / 0.4, 0, 1)
        color = (np.array(inner) * (1 - ramp) + np.array(outer) * ramp) * brightness
        rgb += inside * (color - rgb)
    painted = pixels.copy()
    painted[..., :3] = np.clip(rgb, 0, 255)
    return painted
