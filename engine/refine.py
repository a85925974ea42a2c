"""Membranes from half as many pixels a side: solved coarsely, made exact along the rim.

A membrane is only rough where it hangs on its rim; a few pixels inward it is so smooth that
every second pixel tells the rest. So the equations are solved on a grid of half the size (or
that again from half of it), enlarged, and relaxed at full size on a band along the rim only:
what remains to be done for every pixel is the enlarging.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import multigrid
from engine.compiled import compiled
from engine.multigrid import Domain, Float, Grids, Places, Springs

_BAND = 4
"""Width in pixels of the band along the rim that is relaxed at full size..."""

_WEIGHTS = (np.float32(1.3), np.float32(1.1))
"""...and of each sweep how far it goes: beyond its goal, for speed."""

_LARGEST_SIDE = 128
"""Of a grid that is solved; larger ones are solved at half the size first."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_REACH = np.ones((2 * _BAND - 1, 2 * _BAND - 1), np.uint8)
_ZERO, _ONE = np.float32(0), np.float32(1)


def rim(domain: Domain) -> tuple[Places, Places]:
    """Rows and columns of the pixels with a neighbor in the picture but not in the domain."""
    inside = domain.view(np.uint8)
    # Beyond the picture is nothing, so its border is no rim.
    eroded = cv2.erode(inside, _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return _places(inside ^ np.asarray(eroded, np.uint8))


def spread(domain: Domain, springs: Springs, grids: Grids, level: int = 0) -> Float:
    """Find the surface that hangs on springs along the rim of a domain, see `multigrid.solve`.

    Where the pictures differ by +-60 gray levels with texture, the result is off by 2 levels
    at most and by 0.1 to 0.4 in the mean.

    Args:
        domain: (H, W) bool, C-contiguous, not empty.
        springs: on pixels of `rim`, each tied to its known neighbors.
        grids: working memory; holds the result.
        level: how often the caller's grid has been halved.

    Returns:
        (H or H + 1, W or W + 1, C) float32, both sides even: what is solved is in the first H
        rows and W columns; anything outside the domain. Valid until the next call.
    """
    half = ((domain.shape[0] + 1) // 2, (domain.shape[1] + 1) // 2)
    channels = springs.force.shape[1]
    coarse_domain = np.empty(half, np.bool_)
    _halve(domain, coarse_domain)
    coarse_springs = _gathered(springs, half)
    if max(half) > _LARGEST_SIDE:
        coarse = spread(coarse_domain, coarse_springs, grids, level + 1)
    else:
        coarse = np.empty((*half, channels), np.float32)
        multigrid.solve(coarse_domain, coarse_springs, coarse, grids)
    _extend(coarse_domain, coarse, coarse_springs.rows, coarse_springs.columns)
    double = (2 * half[0], 2 * half[1], channels)
    surface = grids.array(f"surface {level}", double, np.float32)
    solved = coarse[: half[0], : half[1]]
    cv2.resize(solved, (double[1], double[0]), surface, interpolation=cv2.INTER_LINEAR)
    _relax(surface, domain, springs, grids)
    return surface


def _places(marked: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Rows and columns of marked pixels of a contiguous picture, line by line."""
    count = np.count_nonzero(marked)
    rows, columns = np.empty(count, np.int64), np.empty(count, np.int64)
    flat = marked.reshape(-1)
    words = flat[: flat.size // 8 * 8].view(np.uint64)
    _find(words, flat, marked.shape[1], rows, columns)
    return rows, columns


@compiled
def _find(
    words: NDArray[np.uint64],
    marked: NDArray[np.uint8],
    width: int,
    rows: Places,
    columns: Places,
) -> None:
    """Most words are empty: eight pixels are skipped at once."""
    count, y, end = 0, 0, width
    for i in range(words.size + 1):
        if i < words.size and not words[i]:
            continue
        for k in range(8 * i, min(8 * i + 8, marked.size)):
            if marked[k]:
                while k >= end:
                    y, end = y + 1, end + width
                rows[count], columns[count] = y, k - end + width
                count += 1


@compiled
def _halve(domain: Domain, coarse: Domain) -> None:
    """A coarse cell belongs to the domain if one of its four pixels does."""
    height, width = domain.shape
    for y in range(coarse.shape[0]):
        upper, lower = 2 * y, min(2 * y + 1, height - 1)
        for x in range(width // 2):
            above = domain[upper, 2 * x] | domain[upper, 2 * x + 1]
            coarse[y, x] = above | domain[lower, 2 * x] | domain[lower, 2 * x + 1]
        if width & 1:
            coarse[y, width // 2] = domain[upper, width - 1] | domain[lower, width - 1]


def _gathered(springs: Springs, half: tuple[int, int]) -> Springs:
    """What pulls the pixels of each coarse cell, on that cell."""
    count, channels = springs.force.shape
    rows, columns = np.empty(count, np.int64), np.empty(count, np.int64)
    pull, force = np.zeros(count, np.float32), np.zeros((count, channels), np.float32)
    number = np.full(half, -1, np.int32)
    places = (springs.rows, springs.columns)
    cells = _gather(places, springs.pull, springs.force, number, rows, columns, pull, force)
    return Springs(rows[:cells], columns[:cells], pull[:cells], force[:cells])


@compiled
def _gather(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    places: tuple[Places, Places],
    pull: Float,
    force: Float,
    number: NDArray[np.int32],
    rows: Places,
    columns: Places,
    coarse_pull: Float,
    coarse_force: Float,
) -> int:
    count = 0
    for k in range(pull.size):
        y, x = places[0][k] >> 1, places[1][k] >> 1
        if number[y, x] < 0:
            number[y, x] = count
            rows[count], columns[count] = y, x
            count += 1
        cell = number[y, x]
        coarse_pull[cell] += pull[k]
        for c in range(force.shape[1]):
            coarse_force[cell, c] += force[k, c]
    for cell in range(count):
        # See `multigrid.DISTANCE`: the cell's center is farther from what pulls.
        share = _ONE / (_ONE + multigrid.DISTANCE * coarse_pull[cell])
        coarse_pull[cell] *= share
        for c in range(force.shape[1]):
            coarse_force[cell, c] *= share
    return count


@compiled
def _extend(domain: Domain, surface: Float, rows: Places, columns: Places) -> None:
    """Continue a surface by one cell beyond the rim, so that it can be interpolated."""
    height, width = domain.shape
    known = domain.copy()
    for k in range(rows.size):
        for y in range(max(rows[k] - 1, 0), min(rows[k] + 2, height)):
            for x in range(max(columns[k] - 1, 0), min(columns[k] + 2, width)):
                if not known[y, x]:
                    known[y, x] = True
                    _fill(domain, surface, y, x)


@compiled
def _fill(domain: Domain, surface: Float, y: int, x: int) -> None:
    """Give a cell beside the domain the mean of its up to eight neighbors inside."""
    height, width = domain.shape
    channels = surface.shape[2]
    count = _ZERO
    for c in range(channels):
        surface[y, x, c] = _ZERO
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            if domain[j, i]:
                count += _ONE
                for c in range(channels):
                    surface[y, x, c] += surface[j, i, c]
    for c in range(channels):
        surface[y, x, c] /= max(count, _ONE)


def _relax(surface: Float, domain: Domain, springs: Springs, grids: Grids) -> None:
    """Solve each pixel's equation in turn, on a band along the rim."""
    height, width = domain.shape
    # Rows of whole words: most of them are empty, and eight pixels are skipped at once.
    whole = (height, -(-width // 8) * 8)
    edge, band = grids.array("edge", whole, np.uint8), grids.array("band", whole, np.uint8)
    edge[:] = 0
    edge[springs.rows, springs.columns] = 1
    cv2.dilate(edge, _REACH, band, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    band ^= edge
    inner = band[:, :width]
    inner &= domain.view(np.uint8)
    band[:, width:] = 0
    rows, columns = np.empty((2, 2 * (height + width)), np.int64)
    count = _take_border(inner, rows, columns)
    edged = _with_free(springs, rows[:count], columns[:count]) if count else springs
    columns, starts = np.empty(np.count_nonzero(band), np.int32), np.zeros(height + 1, np.int64)
    _list(band.view(np.uint64), band, columns, starts)
    for weight in _WEIGHTS:
        _sweep_rim(surface, domain, (edged.rows, edged.columns), edged.pull, edged.force, weight)
        _sweep(surface, columns, starts, weight)
    _sweep_rim(surface, domain, (edged.rows, edged.columns), edged.pull, edged.force, _ONE)


@compiled
def _take_border(marked: NDArray[np.uint8], rows: Places, columns: Places) -> int:
    """List the marked pixels at the picture's border, unmark and count them.

    They lack neighbors as the rim does, but hang on no spring.
    """
    height, width = marked.shape
    count = 0
    for y in range(height):
        step = 1 if y in {0, height - 1} else max(width - 1, 1)
        for x in range(0, width, step):
            if marked[y, x]:
                rows[count], columns[count] = y, x
                marked[y, x] = 0
                count += 1
    return count


@compiled
def _list(
    words: NDArray[np.uint64],
    marked: NDArray[np.uint8],
    columns: NDArray[np.int32],
    starts: Places,
) -> None:
    """List the columns of marked pixels row by row, in each row the odd ones first.

    Pixels beside each other wait for each other when one is computed after the other.
    """
    count = 0
    for y in range(words.shape[0]):
        starts[y] = count
        for odd in (1, 0):
            for i in range(words.shape[1]):
                if words[y, i]:
                    for x in range(8 * i + odd, 8 * i + 8, 2):
                        if marked[y, x]:
                            columns[count] = x
                            count += 1
    starts[words.shape[0]] = count


def _with_free(springs: Springs, rows: Places, columns: Places) -> Springs:
    """Springs and pixels without any."""
    count, channels = rows.size, springs.force.shape[1]
    return Springs(
        np.concatenate([springs.rows, rows]),
        np.concatenate([springs.columns, columns]),
        np.concatenate([springs.pull, np.zeros(count, np.float32)]),
        np.concatenate([springs.force, np.zeros((count, channels), np.float32)]),
    )


@compiled
def _sweep(surface: Float, columns: NDArray[np.int32], starts: Places, weight: np.float32) -> None:
    """Twice over the listed pixels; the second follows a row behind, while rows are cached."""
    quarter = np.float32(0.25)
    rows = starts.size - 1
    for row in range(rows + 1):
        for y in range(min(row, rows - 1), max(row - 2, -1), -1):
            for k in range(starts[y], starts[y + 1]):
                x = columns[k]
                for c in range(surface.shape[2]):
                    around = surface[y - 1, x, c] + surface[y + 1, x, c]
                    around += surface[y, x - 1, c] + surface[y, x + 1, c]
                    surface[y, x, c] += weight * (quarter * around - surface[y, x, c])


@compiled
def _sweep_rim(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    surface: Float,
    domain: Domain,
    places: tuple[Places, Places],
    pull: Float,
    force: Float,
    weight: np.float32,
) -> None:
    height, width = domain.shape
    for k in range(pull.size):
        y, x = places[0][k], places[1][k]
        up = y > 0 and domain[y - 1, x]
        down = y < height - 1 and domain[y + 1, x]
        left = x > 0 and domain[y, x - 1]
        right = x < width - 1 and domain[y, x + 1]
        whole = np.float32(up) + np.float32(down) + np.float32(left) + np.float32(right) + pull[k]
        if whole <= _ZERO:
            continue
        for c in range(surface.shape[2]):
            wanted = force[k, c]
            if up:
                wanted += surface[y - 1, x, c]
            if down:
                wanted += surface[y + 1, x, c]
            if left:
                wanted += surface[y, x - 1, c]
            if right:
                wanted += surface[y, x + 1, c]
            surface[y, x, c] += weight * (wanted / whole - surface[y, x, c])
