"""Solve Poisson's equation on any part of a grid, fast enough for every frame.

The grids halve down to a few pixels. From the coarsest to the finest, each is started from
the one below, and corrected once by all below (full multigrid, one V-cycle a grid). All loops
run along rows over single precision, so that they become vector instructions; a grid's
smoothing, and what goes to the next coarser one, is one walk over its rows.

Method: A. Brandt, "Multi-level adaptive solutions to boundary-value problems", Mathematics
of Computation 31, 1977. Coarse equations, transfer at ragged borders, and code are own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled

Float = NDArray[np.float32]
Domain = NDArray[np.bool_]
Layout = NDArray[np.int64]
Places = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)

_COARSEST = 4  # side of the grid that is solved by plain iteration...
_COARSEST_ROUNDS = 40  # ...and how often
_OVERSHOOT = np.float32(1.6)  # of each round (over-relaxation)

# Weights of two Jacobi steps: the Chebyshev polynomial that damps what a coarser grid cannot
# show, the eigenvalues 0.5 to 2.
_FIRST, _SECOND = np.float32(1 / 1.780330), np.float32(1 / 0.719670)

# A coarse cell's center is farther from what pulls at its edge than the fine cells' centers
# are. The value is measured: 0 (only add up) is half as exact, 1/4 (a straight edge) diverges
# at ragged ones.
DISTANCE = np.float32(1 / 16)

_NEAR, _FAR = np.float32(0.75), np.float32(0.25)  # linear interpolation between cell centers
_PYRAMIDS = 7  # quantities kept on all grids
_ZERO, _ONE = np.float32(0), np.float32(1)


class Grids:
    """Working memory of `solve`, kept from call to call: fresh pages cost as much as solving.

    One instance serves one thread.
    """

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], kind: type[Number]) -> NDArray[Number]:
        """An array of that shape with any content, valid until the next one of its name."""
        count = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < count:
            kept = self._kept[name] = np.empty(count, kind)
        return kept[:count].reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class Springs:
    """What pulls single pixels toward values.

    Attributes:
        rows, columns: (N,) int64 places, each at most once.
        pull: (N,) float32, how strongly, 0 to 4: neighboring pixels pull each other by 1.
        force: (N, C) float32, finite, the pull times the value.
    """

    rows: Places
    columns: Places
    pull: Float
    force: Float


def solve(domain: Domain, springs: Springs, out: Float, grids: Grids) -> None:
    """Find u with (neighbors + pull) u - sum of the neighbors' u = force on a domain.

    A pixel's neighbors are those of the four beside it that belong to the domain. On domains
    many pixels wide the error is about one percent of how much the boundary varies; strips
    one pixel wide, which coarser grids cannot tell from broad ones, can have ten times that.

    Args:
        domain: (H, W) bool, not empty. A part of it without springs is drawn by what lies
            near on a coarser grid.
        springs: on pixels of the domain.
        out: (H, W, C) float32, becomes u; 0 outside the domain, and everywhere if there are
            no springs.
        grids: working memory.
    """
    shapes, starts = _levels(*domain.shape)
    memory = grids.array("solve", (_PYRAMIDS * int(starts[-1]),), np.float32)
    places, pull, force = (springs.rows, springs.columns), springs.pull, springs.force
    _solve(domain, places, pull, force, shapes, starts, memory, out)


def _levels(height: int, width: int) -> tuple[Layout, Layout]:
    """Sides of all grids, finest first, and where each starts in a flat buffer.

    All but the coarsest have even sides; each has a frame of one zero around it.
    """
    shapes = []
    while max(height, width) > _COARSEST:
        height, width = height + height % 2, width + width % 2
        shapes.append((height, width))
        height, width = height // 2, width // 2
    shapes.append((height, width))
    sizes = [(h + 2) * (w + 2) for h, w in shapes]
    return np.array(shapes, np.int64), np.cumsum([0, *sizes], dtype=np.int64)


@compiled
def _grid(buffer: Float, shapes: Layout, starts: Layout, level: int) -> Float:
    height, width = shapes[level, 0] + 2, shapes[level, 1] + 2
    return buffer[starts[level] : starts[level + 1]].reshape(height, width)


@compiled
def _coarsen(inside: Float, pull: Float, coarse_inside: Float, coarse_pull: Float) -> None:
    """A coarse cell belongs to the domain if one of its four does, and is pulled by all."""
    for y in range(1, inside.shape[0] // 2):
        for x in range(1, inside.shape[1] // 2):
            y2, x2 = 2 * y - 1, 2 * x - 1
            upper = max(inside[y2, x2], inside[y2, x2 + 1])
            coarse_inside[y, x] = max(upper, inside[y2 + 1, x2], inside[y2 + 1, x2 + 1])
            total = pull[y2, x2] + pull[y2, x2 + 1] + pull[y2 + 1, x2] + pull[y2 + 1, x2 + 1]
            coarse_pull[y, x] = total / (_ONE + DISTANCE * total)


@compiled
def _coarsen_target(target: Float, coarse_pull: Float, coarse_target: Float) -> None:
    """The coarse cell wants what its four want, with its own pull."""
    for y in range(1, target.shape[0] // 2):
        for x in range(1, target.shape[1] // 2):
            y2, x2 = 2 * y - 1, 2 * x - 1
            wanted = target[y2, x2] + target[y2, x2 + 1]
            wanted += target[y2 + 1, x2] + target[y2 + 1, x2 + 1]
            # The same factor as in `_coarsen`, from its result.
            coarse_target[y, x] = wanted * (_ONE - DISTANCE * coarse_pull[y, x])


@compiled
def _equations(inside: Float, pull: Float, diagonal: Float, inverse: Float) -> None:
    """Diagonal of the matrix and its inverse, both 0 outside the domain."""
    for y in range(1, inside.shape[0] - 1):
        for x in range(1, inside.shape[1] - 1):
            around = inside[y - 1, x] + inside[y + 1, x] + inside[y, x - 1] + inside[y, x + 1]
            full = inside[y, x] * (around + pull[y, x])
            diagonal[y, x] = full
            inverse[y, x] = _ONE / full if full > _ZERO else _ZERO


@compiled
def _interpolated(coarse: Float, y: int, work: Float) -> None:
    """Row y of a coarse grid enlarged by two, bilinear between cell centers.

    Args:
        coarse: framed grid.
        y: row of the fine grid, counted without its frame.
        work: the result goes to row 1, also without frame; row 0 is used.
    """
    near, far = (y >> 1) + 1, (y >> 1) + 2 * (y & 1)
    half = coarse.shape[1] - 2
    for x in range(half + 2):
        work[0, x] = _NEAR * coarse[near, x] + _FAR * coarse[far, x]
    for x in range(half):
        work[1, 2 * x] = _NEAR * work[0, x + 1] + _FAR * work[0, x]
        work[1, 2 * x + 1] = _NEAR * work[0, x + 1] + _FAR * work[0, x + 2]


@compiled
def _normalize(coarse_inside: Float, inside: Float, share: Float, work: Float) -> None:
    """One over how much of the interpolation comes from cells of the coarse domain."""
    for y in range(inside.shape[0] - 2):
        _interpolated(coarse_inside, y, work)
        for x in range(inside.shape[1] - 2):
            share[y + 1, x + 1] = inside[y + 1, x + 1] / max(work[1, x], _FAR * _FAR)


@compiled
def _step(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays and numbers
    u: Float,
    rows: tuple[int, int, int],
    target: Float,
    inverse: Float,
    y: int,
    weight: np.float32,
    out: Float,
    to: int,
) -> None:
    """One weighted Jacobi step of row y; where `inverse` is 0, zeros stay zeros."""
    above, here, below = rows
    for x in range(1, inverse.shape[1] - 1):
        around = u[above, x] + u[below, x] + u[here, x - 1] + u[here, x + 1]
        better = (around + target[y, x]) * inverse[y, x]
        out[to, x] = u[here, x] + weight * (better - u[here, x])


@compiled
def _residual(u: Float, y: int, target: Float, diagonal: Float, work: Float) -> None:
    """What is missing to the solution in rows y and y + 1, summed over two by two pixels.

    The sums go to row 0 of `work`, without frame; rows 2 and 3 are used.
    """
    width = u.shape[1] - 2
    for i in range(2):
        for x in range(1, width + 1):
            around = u[y + i - 1, x] + u[y + i + 1, x] + u[y + i, x - 1] + u[y + i, x + 1]
            full = diagonal[y + i, x]
            missing = around + target[y + i, x] - full * u[y + i, x]
            work[2 + i, x - 1] = missing if full > _ZERO else _ZERO
    for x in range(width // 2):
        work[0, x] = (work[2, 2 * x] + work[2, 2 * x + 1]) + (work[3, 2 * x] + work[3, 2 * x + 1])


_START, _CORRECT, _DOWN = 1, 2, 4
"""What a walk does besides smoothing: start from the coarser grid's solution (or else from
zero), or add the coarser grid's correction; hand the residual down to the coarser grid."""


@compiled
def _walk(  # noqa: C901, PLR0912, PLR0913, PLR0917  # four loops in one, row by row, to stay in the cache
    u: Float,
    target: Float,
    diagonal: Float,
    inverse: Float,
    share: Float,
    coarse: Float,
    coarse_target: Float,
    ring: Float,
    work: Float,
    task: int,
) -> None:
    """Smooth a grid twice in one walk over its rows, see `_START`.

    All grids are framed. `ring` (3 rows) and `work` (4 rows) are working memory.
    """
    height, width = u.shape[0] - 2, u.shape[1] - 2
    for i in range(3):
        for x in range(width + 2):
            ring[i, x] = _ZERO
    for y in range(1, height + 4):
        if y <= height:
            if task & (_START | _CORRECT):
                _interpolated(coarse, y - 1, work)
            if task & _START:
                for x in range(1, width + 1):
                    u[y, x] = share[y, x] * work[1, x - 1]
            elif task & _CORRECT:
                for x in range(1, width + 1):
                    u[y, x] += share[y, x] * work[1, x - 1]
            else:
                for x in range(1, width + 1):
                    u[y, x] = _ZERO
        # The row before goes once into the ring; the one before that again, and back.
        last = (y - 1) % 3
        if 2 <= y <= height + 1:
            _step(u, (y - 2, y - 1, y), target, inverse, y - 1, _FIRST, ring, last)
        elif y == height + 2:
            for x in range(width + 2):
                ring[last, x] = _ZERO
        if 3 <= y <= height + 2:
            rows = (y % 3, (y - 2) % 3, last)
            _step(ring, rows, target, inverse, y - 2, _SECOND, u, y - 2)
        if task & _DOWN and y >= 5 and y & 1:
            _residual(u, y - 4, target, diagonal, work)
            for x in range(width // 2):
                coarse_target[(y - 3) >> 1, x + 1] = work[0, x]


@compiled
def _iterate(u: Float, target: Float, inverse: Float) -> None:
    """Gauss-Seidel with over-relaxation on the coarsest grid, from zero."""
    u[:] = _ZERO
    for _ in range(_COARSEST_ROUNDS):
        for y in range(1, u.shape[0] - 1):
            for x in range(1, u.shape[1] - 1):
                around = u[y - 1, x] + u[y + 1, x] + u[y, x - 1] + u[y, x + 1]
                better = (around + target[y, x]) * inverse[y, x]
                u[y, x] += _OVERSHOOT * (better - u[y, x])


@compiled
def _solve(  # noqa: C901, PLR0912, PLR0913, PLR0917  # one call for all: arrays, no objects
    domain: Domain,
    places: tuple[Places, Places],
    pull: Float,
    force: Float,
    shapes: Layout,
    starts: Layout,
    memory: Float,
    out: Float,
) -> None:
    height, width = domain.shape
    coarsest, total = starts.size - 2, starts[-1]
    # The first four are read beside the domain too, where they have to be zero.
    memory[: 4 * total] = _ZERO
    insides, pulls = memory[:total], memory[total : 2 * total]
    targets, surfaces = memory[2 * total : 3 * total], memory[3 * total : 4 * total]
    diagonals, inverses = memory[4 * total : 5 * total], memory[5 * total : 6 * total]
    shares = memory[6 * total : 7 * total]
    ring = np.zeros((3, shapes[0, 1] + 2), np.float32)
    work = np.zeros((4, shapes[0, 1] + 2), np.float32)

    inside, springs = _grid(insides, shapes, starts, 0), _grid(pulls, shapes, starts, 0)
    for y in range(height):
        for x in range(width):
            inside[y + 1, x + 1] = np.float32(domain[y, x])
    rows, columns = places
    for k in range(pull.size):
        springs[rows[k] + 1, columns[k] + 1] = pull[k]
    for i in range(coarsest + 1):
        inside, springs = _grid(insides, shapes, starts, i), _grid(pulls, shapes, starts, i)
        if i > 0:
            finer = _grid(insides, shapes, starts, i - 1)
            _coarsen(finer, _grid(pulls, shapes, starts, i - 1), inside, springs)
            _normalize(inside, finer, _grid(shares, shapes, starts, i - 1), work)
        diagonal = _grid(diagonals, shapes, starts, i)
        _equations(inside, springs, diagonal, _grid(inverses, shapes, starts, i))

    for c in range(force.shape[1]):
        wanted = _grid(targets, shapes, starts, 0)
        # Other channels and corrections left nothing on the finest grid but the springs.
        for k in range(pull.size):
            wanted[rows[k] + 1, columns[k] + 1] = force[k, c]
        for i in range(1, coarsest + 1):
            _coarsen_target(
                _grid(targets, shapes, starts, i - 1),
                _grid(pulls, shapes, starts, i),
                _grid(targets, shapes, starts, i),
            )
        for top in range(coarsest, -1, -1):
            for step in range(2 * (coarsest - top) + 1):
                # Down from the top to the coarsest, which is solved, and up again.
                i = top + step if step <= coarsest - top else 2 * coarsest - top - step
                u, wanted = _grid(surfaces, shapes, starts, i), _grid(targets, shapes, starts, i)
                inverse = _grid(inverses, shapes, starts, i)
                if i == coarsest:
                    _iterate(u, wanted, inverse)
                    continue
                down = _DOWN | (_START if step == 0 else 0)
                _walk(
                    u,
                    wanted,
                    _grid(diagonals, shapes, starts, i),
                    inverse,
                    _grid(shares, shapes, starts, i),
                    _grid(surfaces, shapes, starts, i + 1),
                    _grid(targets, shapes, starts, i + 1),
                    ring,
                    work,
                    down if step < coarsest - top else _CORRECT,
                )
        u = _grid(surfaces, shapes, starts, 0)
        for y in range(height):
            for x in range(width):
                out[y, x, c] = u[y + 1, x + 1]
