"""Gradient-domain blending: a smooth correction that makes two pictures agree at a seam.

Pasting gradients instead of colors (Poisson image editing) is the same as adding to the new
picture the smoothest surface that equals the difference of both pictures on the mask's
boundary: a membrane. The membrane is solved for, not the picture: away from the boundary it
is smooth, so coarse grids know nearly all of it, and what is not on the boundary stays as
sharp as it was.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine import multigrid, refine
from engine.compiled import compiled
from engine.errors import EngineError
from engine.face import Image
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
        inside, known = np.ascontiguousarray(domain[window]), difference[window]
        nothing = np.zeros((1, 1, 1), np.float32)
        springs = _links(known, np.broadcast_to(nothing, known.shape), inside)
        if springs.pull.any():
            spread = refine.spread(inside, springs, grids or Grids())
            height, width = inside.shape
            surface[window][inside] = spread[:height, :width][inside]
    return surface


def clone(swap: Image, frame: Image, domain: Domain, grids: Grids | None = None) -> None:
    """Paste a picture's gradients into another, in place: the classic seamless cloning.

    Args:
        swap: (H, W, 3) uint8, what to paste.
        frame: (H, W, 3) uint8, where to, may be a view; changed on the domain only.
        domain: (H, W) bool, which pixels to paste. It may touch the border, where nothing
            is known of the frame; if it leaves no pixel free, the picture is pasted as it is.
        grids: working memory to use again.

    Raises:
        EngineError: shapes or types that do not fit.
    """
    if swap.dtype != np.uint8 or swap.shape != frame.shape or frame.dtype != np.uint8:
        raise EngineError(
            f"cloning got {swap.dtype} {swap.shape} into {frame.dtype} {frame.shape}; "
            "expected two uint8 (H, W, 3) pictures of one size"
        )
    _check_domain(domain, frame.shape[:2])
    window = _window(domain, margin=1)
    if window is None:
        return
    inside, old, new = np.ascontiguousarray(domain[window]), frame[window], swap[window]
    springs = _links(old, new, inside)
    if springs.pull.any():
        grids = grids or Grids()
        surface = refine.spread(inside, springs, grids)
        mixed = grids.array("mixed", new.shape, np.uint8)
        mixed[:] = new
        _add(surface.reshape(len(surface), -1), mixed.reshape(len(mixed), -1))
        new = mixed
    cv2.copyTo(new, inside.view(np.uint8), old)


@compiled
def _add(surface: Float, picture: Image) -> None:
    """Add with rounding and saturation; rows of plain numbers become vector instructions.

    The surface may be larger than the picture.
    """
    half, black, white = np.float32(0.5), np.float32(0), np.float32(255)
    for y in range(picture.shape[0]):
        added, mixed = surface[y], picture[y]
        for i in range(mixed.size):
            level = np.float32(mixed[i]) + added[i] + half
            mixed[i] = np.uint8(np.int32(min(max(level, black), white)))


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
        springs = _springs(difference[window], weights[window], domain[window])
        multigrid.solve(domain[window], springs, surface[window], grids or Grids())
    return surface


def _check(difference: Float, domain: Domain) -> None:
    if difference.dtype != np.float32 or difference.ndim != 3:
        raise EngineError(
            f"the difference is {difference.dtype} {difference.shape}; expected float32 (H, W, C)"
        )
    _check_domain(domain, difference.shape[:2])


def _check_domain(domain: Domain, shape: tuple[int, ...]) -> None:
    if domain.dtype != np.bool_ or domain.shape != shape:
        raise EngineError(f"the domain is {domain.dtype} {domain.shape}; expected bool {shape}")


def _window(domain: Domain, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns of the domain's bounding box, with a margin inside the picture."""
    if not domain.size:
        return None
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(domain).view(np.uint8))
    if not width:
        return None
    rows = slice(max(top - margin, 0), top + height + margin)
    return rows, slice(max(left - margin, 0), left + width + margin)


def _springs(values: Float, weights: Float, domain: Domain) -> Springs:
    """Tie each pixel of the domain to its own value, where it has one."""
    size, channels = domain.size, values.shape[2]
    rows, columns = np.empty(size, np.int64), np.empty(size, np.int64)
    pull, force = np.empty(size, np.float32), np.empty((size, channels), np.float32)
    count = _hang(values, weights, domain, rows, columns, pull, force)
    return Springs(rows[:count], columns[:count], pull[:count], force[:count])


@compiled
def _hang(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    values: Float,
    weights: Float,
    domain: Domain,
    rows: Places,
    columns: Places,
    pull: Float,
    force: Float,
) -> int:
    """Fill in the springs and count them."""
    count = 0
    for y in range(domain.shape[0]):
        for x in range(domain.shape[1]):
            usable = domain[y, x] and weights[y, x] > 0
            for c in range(values.shape[2]):
                usable &= abs(values[y, x, c]) <= _LARGEST
            if usable:
                rows[count], columns[count] = y, x
                pull[count] = min(weights[y, x], np.float32(4))
                for c in range(values.shape[2]):
                    force[count, c] = pull[count] * values[y, x, c]
                count += 1
    return count


def _links(frame: Float | Image, swap: Float | Image, domain: Domain) -> Springs:
    """Tie each pixel of the domain to the difference in every known neighbor outside of it."""
    rows, columns = refine.rim(domain)
    pull = np.zeros(rows.size, np.float32)
    force = np.zeros((rows.size, frame.shape[2]), np.float32)
    _tie(frame, swap, domain, rows, columns, pull, force)
    return Springs(rows, columns, pull, force)


@compiled
def _tie(  # noqa: PLR0913, PLR0917  # a compiled loop takes plain arrays
    frame: Float | Image,
    swap: Float | Image,
    domain: Domain,
    rows: Places,
    columns: Places,
    pull: Float,
    force: Float,
) -> None:
    """Count the known neighbors of these pixels, and add up what the pictures differ by."""
    height, width, channels = frame.shape
    for k in range(rows.size):
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            y, x = rows[k] + dy, columns[k] + dx
            if not (0 <= y < height and 0 <= x < width) or domain[y, x]:
                continue
            known = True
            for c in range(channels):
                if not abs(np.float32(frame[y, x, c])) <= _LARGEST:
                    known = False
            if known:
                pull[k] += np.float32(1)
                for c in range(channels):
                    force[k, c] += np.float32(frame[y, x, c]) - np.float32(swap[y, x, c])


def warm_up() -> None:
    """Compile or load the loops now, so that the first frame does not pay for them."""
    ring = np.zeros((9, 9, 3), np.float32)
    domain = np.zeros((9, 9), np.bool_)
    domain[2:7, 2:7] = True
    # A window is a view, the whole picture may not be; an odd side makes another one.
    for picture in (ring, ring[:, 1:], ring[1:, 1:].copy()):
        part = domain[: picture.shape[0], : picture.shape[1]]
        membrane(picture, part)
        fit(picture, np.ones(picture.shape[:2], np.float32), part)
