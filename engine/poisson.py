"""Gradient-domain blending: a smooth correction that makes two pictures agree at a seam.

Pasting gradients instead of colors (Poisson image editing) is the same as adding to the new
picture the smoothest surface that equals the difference of both pictures on the mask's
boundary: a membrane. The membrane is solved for, not the picture: away from the boundary it
is smooth, so coarse grids know nearly all of it, and what is not on the boundary stays as
sharp as it was.
"""

from __future__ import annotations

import numpy as np

from engine import multigrid
from engine.compiled import compiled
from engine.errors import EngineError
from engine.multigrid import Domain, Float, Grids, Places, Springs

_LARGEST = np.float32(1e6)
"""A difference beyond this is no color; it counts as not there, like one that is not finite."""


def membrane(difference: Float, domain: Domain, grids: Grids | None = None) -> Float:
    """Interpolate what is known around a domain smoothly into it.

    Solves the discrete Laplace equation on the domain. A neighbor outside the domain is
    known; a neighbor outside the picture does not exist, so the surface meets the picture's
    border at a right angle.

    Args:
        difference: (H, W, C) float32, read only beside the domain; what is not finite counts
            as not there.
        domain: (H, W) bool, where to interpolate.
        grids: working memory to use again.

    Returns:
        (H, W, C) float32, 0 outside the domain. 0 also where nothing is known: the domain
        fills the picture, or what surrounds it is not finite.

    Raises:
        EngineError: shapes or types that do not fit.
    """
    _check(difference, domain)
    surface = np.zeros_like(difference)
    window = _window(domain, margin=1)
    if window is not None:
        springs = _links(difference[window], domain[window])
        multigrid.solve(domain[window], springs, surface[window], grids or Grids())
    return surface


def fit(difference: Float, weights: Float, domain: Domain, grids: Grids | None = None) -> Float:
    """The smoothest surface near given values: a membrane on springs.

    Minimizes the squared slope plus, in each pixel, the weight times the squared distance to
    the value there.

    Args:
        difference: (H, W, C) float32, the values; what is not finite counts as not there.
        weights: (H, W) float32, 0 (no value here) to 4 (as strong as the four neighbors);
            what is not finite is 0.
        domain: (H, W) bool, where the surface is wanted and values count.
        grids: working memory to use again.

    Returns:
        (H, W, C) float32, 0 outside the domain and where nothing is known.

    Raises:
        EngineError: shapes or types that do not fit.
    """
    _check(difference, domain)
    if weights.dtype != np.float32 or weights.shape != domain.shape:
        raise EngineError(
            f"weights are {weights.dtype} {weights.shape}; expected float32 {domain.shape}"
        )
    surface = np.zeros_like(difference)
    window = _window(domain, margin=0)
    if window is not None:
        inside, pull, values = domain[window], weights[window], difference[window]
        usable = inside & (pull > 0.0) & (np.abs(values) <= _LARGEST).all(axis=2)
        rows, columns = np.nonzero(usable)
        strength = np.minimum(pull[usable], np.float32(4))
        springs = Springs(rows, columns, strength, strength[:, None] * values[usable])
        multigrid.solve(inside, springs, surface[window], grids or Grids())
    return surface


def _check(difference: Float, domain: Domain) -> None:
    if difference.dtype != np.float32 or difference.ndim != 3:
        raise EngineError(
            f"the difference is {difference.dtype} {difference.shape}; expected float32 (H, W, C)"
        )
    if domain.dtype != np.bool_ or domain.shape != difference.shape[:2]:
        raise EngineError(
            f"the domain is {domain.dtype} {domain.shape}; expected bool {difference.shape[:2]}"
        )


def _window(domain: Domain, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns of the domain's bounding box, with a margin inside the picture."""
    rows, columns = np.flatnonzero(domain.any(axis=1)), np.flatnonzero(domain.any(axis=0))
    if not rows.size:
        return None
    top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
    return slice(top, int(rows[-1]) + 1 + margin), slice(left, int(columns[-1]) + 1 + margin)


def _links(difference: Float, domain: Domain) -> Springs:
    """Tie each pixel of the domain to every known neighbor outside of it."""
    inner = domain.copy()
    inner[1:] &= domain[:-1]
    inner[:-1] &= domain[1:]
    inner[:, 1:] &= domain[:, :-1]
    inner[:, :-1] &= domain[:, 1:]
    rows, columns = np.nonzero(domain & ~inner)
    pull = np.zeros(rows.size, np.float32)
    force = np.zeros((rows.size, difference.shape[2]), np.float32)
    _tie(difference, domain, rows, columns, pull, force)
    return Springs(rows, columns, pull, force)


@compiled
def _tie(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    difference: Float, domain: Domain, rows: Places, columns: Places, pull: Float, force: Float
) -> None:
    """Count the known neighbors of these pixels, and add them up."""
    height, width, channels = difference.shape
    for k in range(rows.size):
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            y, x = rows[k] + dy, columns[k] + dx
            if not (0 <= y < height and 0 <= x < width) or domain[y, x]:
                continue
            known = True
            for c in range(channels):
                known &= abs(difference[y, x, c]) <= _LARGEST
            if known:
                pull[k] += np.float32(1)
                for c in range(channels):
                    force[k, c] += difference[y, x, c]


def warm_up() -> None:
    """Compile or load the loops now, so that the first frame does not pay for them."""
    ring = np.zeros((9, 9, 3), np.float32)
    domain = np.zeros((9, 9), np.bool_)
    domain[2:7, 2:7] = True
    for picture in (ring, ring[:, 1:]):  # A window is a view, the whole picture may not be.
        membrane(picture, domain[:, : picture.shape[1]])
        fit(picture, np.ones(picture.shape[:2], np.float32), domain[:, : picture.shape[1]])
