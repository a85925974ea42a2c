"""Boundary differences as faces have them, and the exact membrane over them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Float = NDArray[np.float32]
Domain = NDArray[np.bool_]

_SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


def exact(difference: Float, domain: Domain) -> NDArray[np.float64]:
    """The membrane by a sparse direct solver; every part of the domain touches a known pixel."""
    height, width = domain.shape
    surface = np.zeros(difference.shape)
    count = int(domain.sum())
    if not count:
        return surface
    index = np.full(domain.shape, -1)
    index[domain] = np.arange(count)
    rows, columns = np.nonzero(domain)
    diagonal, known = np.zeros(count), np.zeros((count, difference.shape[2]))
    links = sparse.csr_matrix((count, count))
    for dy, dx in _SIDES:
        y, x = rows + dy, columns + dx
        in_picture = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        diagonal += in_picture
        here = np.flatnonzero(in_picture)
        other = index[y[here], x[here]]
        known[here[other < 0]] += difference[y[here], x[here]][other < 0]
        pairs = (here[other >= 0], other[other >= 0])
        links += sparse.csr_matrix((np.ones(pairs[0].size), pairs), (count, count))
    matrix = (sparse.diags_array(diagonal) - links).tocsc()
    surface[domain] = splu(matrix).solve(known)
    return surface


def difference(height: int, width: int, seed: int = 0) -> Float:
    """Light from one side, blotches and texture: +-60 gray levels or so."""
    random = np.random.default_rng(seed)

    def clouds(cells: int, size: float) -> Float:
        coarse = random.normal(0, size, (cells, cells, 3)).astype(np.float32)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))

    texture = random.normal(0, 5, (height, width, 3)).astype(np.float32)
    return np.asarray(clouds(3, 25) + clouds(20, 10) + texture, np.float32)


def ellipse(height: int, width: int) -> Domain:
    """An ellipse that stays two pixels inside its picture."""
    y, x = np.mgrid[:height, :width]
    ry, rx = height / 2 - 2, width / 2 - 2
    inside = ((y - (height - 1) / 2) / ry) ** 2 + ((x - (width - 1) / 2) / rx) ** 2 <= 1
    return np.asarray(inside, np.bool_)
