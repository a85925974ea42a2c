"""Painting albedo pictures."""

from __future__ import annotations

import numpy as np
import pytest

from export.persona import textures


def test_a_spot_darkens_its_place_and_nothing_far_away() -> None:
    rgb = np.full((200, 200, 3), 200, np.float32)
    textures.paint_spots(rgb, [(0.25, 0.75, 0.02, 0.8)], (100, 50, 50))
    center = rgb[50, 50]
    assert center == pytest.approx(200 * (1 - 0.8 * (1 - np.array([100, 50, 50]) / 255)), rel=0.02)
    assert (rgb[120:, 120:] == 200).all()


def test_a_new_iris_keeps_pupil_and_sclera() -> None:
    size = 256
    pixels = np.full((size, size, 4), 230, np.uint8)
    x, y = int(0.704 * size), int(0.296 * size)
    pixels[y - 18 : y + 18, x - 18 : x + 18, :3] = 140
    pixels[y - 4 : y + 4, x - 4 : x + 4, :3] = 0
    painted = textures.recolor_iris(pixels, (120, 60, 30), (40, 80, 40))
    assert painted[y, x, :3].max() == 0
    red, _, blue = painted[y, x + 8, :3].astype(int)
    assert red > 2 * blue
    assert (painted[:20, :20] == pixels[:20, :20]).all()
    assert pixels[y, x + 8, 0] == 140


def test_opaque_textures_have_no_holes() -> None:
    texture = textures.opaque("skin", np.full((8, 8, 3), (300, 10, -5), np.float32))
    assert texture.pixels[0, 0].tolist() == [255, 10, 0, 255]
