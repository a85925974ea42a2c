"""Membranes against an exact solution, and at the limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine import poisson
from engine.errors import EngineError
from engine.multigrid import Grids
from tests.membranes import Domain, difference, ellipse, exact


def ragged(height: int, width: int) -> Domain:
    """What a skin rule leaves of a face: islands, holes, bays, single pixels."""
    noise = difference(height, width, seed=9)[:, :, 0]
    return np.asarray(ellipse(height, width) & (noise > -14), np.bool_)


def cut(height: int, width: int) -> Domain:
    """A face of which the left third lies outside the picture."""
    return ellipse(height, width + width // 2)[:, width // 2 :]


def frame_filling(height: int, width: int) -> Domain:
    """All but one corner."""
    domain = np.ones((height, width), np.bool_)
    domain[: height // 4, : width // 4] = False
    return domain


@pytest.mark.parametrize("shape", [ellipse, ragged, cut, frame_filling])
@pytest.mark.parametrize("size", [(31, 47), (130, 161)])
def test_close_to_the_exact_solution(
    shape: Callable[[int, int], Domain], size: tuple[int, int]
) -> None:
    domain, known = shape(*size), difference(*size)
    surface = poisson.membrane(known, domain)
    error = np.abs(surface - exact(known, domain))[domain]
    assert error.max() <= 2.0
    assert error.mean() <= 0.5
    assert not surface[~domain].any()


@pytest.mark.parametrize("place", [(0, 0), (0, 5), (6, 9), (3, 4)])
def test_one_pixel_is_the_mean_of_its_neighbors(place: tuple[int, int]) -> None:
    domain = np.zeros((7, 10), np.bool_)
    domain[place] = True
    known = difference(7, 10)
    surface = poisson.membrane(known, domain)
    np.testing.assert_allclose(surface, exact(known, domain), atol=1e-4)


def test_an_empty_and_a_full_domain_correct_nothing() -> None:
    known = difference(20, 30)
    assert not poisson.membrane(known, np.zeros((20, 30), np.bool_)).any()
    assert not poisson.membrane(known, np.ones((20, 30), np.bool_)).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 200), (0, 0), (0, 5)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    domain = np.ones(size, np.bool_)
    domain[:, :1] = False
    surface = poisson.membrane(np.full((*size, 3), 7, np.float32), domain)
    np.testing.assert_allclose(surface[domain], 7, rtol=1e-3)


@pytest.mark.parametrize("place", [(0, 0), (50, 70), (99, 0)])
def test_what_one_pixel_knows_reaches_everywhere(place: tuple[int, int]) -> None:
    domain = np.ones((100, 140), np.bool_)
    domain[place] = False
    known = np.full((100, 140, 3), np.nan, np.float32)
    known[place] = (10, -20, 100)
    surface = poisson.membrane(known, domain)[domain]
    np.testing.assert_allclose(surface, np.broadcast_to((10, -20, 100), surface.shape), rtol=2e-3)


def test_only_pixels_beside_the_domain_are_read() -> None:
    domain, known = ellipse(40, 50), difference(40, 50)
    beside = np.zeros_like(domain)
    beside[1:] |= domain[:-1]
    beside[:-1] |= domain[1:]
    beside[:, 1:] |= domain[:, :-1]
    beside[:, :-1] |= domain[:, 1:]
    beside &= ~domain
    torn = np.where(beside[:, :, None], known, np.float32(np.nan))
    assert np.array_equal(poisson.membrane(torn, domain), poisson.membrane(known, domain))


def test_what_is_no_number_counts_as_not_there() -> None:
    domain = ellipse(40, 40)
    known = np.full((40, 40, 3), 50, np.float32)
    for row, wrong in zip((5, 15, 25, 35), (np.nan, np.inf, -np.inf, 1e30), strict=True):
        known[row : row + 4, :, 1] = wrong
    surface = poisson.membrane(known, domain)
    np.testing.assert_allclose(surface[domain], 50, rtol=1e-3)
    known[:] = np.nan
    assert not poisson.membrane(known, domain).any()


@pytest.mark.parametrize("grow", [0, 1])
@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (1, 1), (3, 2)])
def test_nothing_drifts_with_the_parity_of_the_box(grow: int, shift: tuple[int, int]) -> None:
    # What moves by whole pixels is corrected alike wherever it lies and however large.
    domain = np.zeros((70, 80), np.bool_)
    domain[10 : 50 + grow, 12 : 60 + grow] = ellipse(40 + grow, 48 + grow)
    known = difference(70, 80)
    here = poisson.membrane(known, domain)
    there = poisson.membrane(
        np.roll(known, shift, axis=(0, 1)), np.roll(domain, shift, axis=(0, 1))
    )
    assert np.array_equal(np.roll(here, shift, axis=(0, 1)), there)
    flipped = poisson.membrane(known[:, ::-1], domain[:, ::-1])[:, ::-1]
    assert np.abs(flipped - here).max() <= 2.0


def test_memory_used_again_changes_nothing() -> None:
    grids = Grids()
    for size in ((64, 64), (128, 100), (37, 53), (128, 100)):
        known, domain = difference(*size), ragged(*size)
        fresh = poisson.membrane(known, domain)
        assert np.array_equal(poisson.membrane(known, domain, grids), fresh)


@pytest.mark.parametrize("shape", [ellipse, ragged, cut])
def test_cloning_pastes_the_corrected_picture_on_the_domain_only(
    shape: Callable[[int, int], Domain],
) -> None:
    random = np.random.default_rng(5)
    swap, canvas = (random.integers(60, 190, (h, w, 3), np.uint8) for h, w in ((60, 71), (80, 91)))
    domain, part = shape(60, 71), np.s_[10:70, 9:80]
    before = canvas.copy()
    surface = poisson.membrane(before[part].astype(np.float32) - swap, domain)
    poisson.clone(swap, canvas[part], domain)
    expected = np.clip(np.rint(swap + surface), 0, 255)
    assert np.abs(canvas[part][domain] - expected[domain]).max() <= 1
    outside = np.ones(canvas.shape[:2], np.bool_)
    outside[part] = ~domain
    assert np.array_equal(canvas[outside], before[outside])


def test_cloning_where_nothing_or_everything_is_pasted() -> None:
    swap, frame = np.full((9, 9, 3), 40, np.uint8), np.full((9, 9, 3), 90, np.uint8)
    poisson.clone(swap, frame, np.zeros((9, 9), np.bool_))
    assert (frame == 90).all()
    poisson.clone(swap, frame, np.ones((9, 9), np.bool_))
    assert (frame == 40).all()


def test_a_fit_is_the_least_squares_solution() -> None:
    random = np.random.default_rng(3)
    domain = ellipse(16, 18)
    values = difference(16, 18)
    weights = random.choice(np.array([0, 0.05, 0.3, 1], np.float32), (16, 18))
    index = np.flatnonzero(domain)
    laplacian = np.zeros((domain.size, domain.size))
    for step, cells in ((1, domain[:, 1:] & domain[:, :-1]), (18, domain[1:] & domain[:-1])):
        rows, columns = np.nonzero(cells)
        for a in rows * 18 + columns:
            laplacian[[a, a + step], [a, a + step]] += 1
            laplacian[[a, a + step], [a + step, a]] -= 1
    pull = np.diag(weights.ravel()[index].astype(float))
    matrix = laplacian[np.ix_(index, index)] + pull
    expected = np.linalg.solve(matrix, pull @ values.reshape(-1, 3)[index])
    surface = poisson.fit(values, weights, domain)
    assert np.abs(surface[domain] - expected).max() <= 0.5
    assert not surface[~domain].any()


def test_a_fit_without_values_is_zero() -> None:
    domain, values = ellipse(20, 20), difference(20, 20)
    assert not poisson.fit(values, np.zeros((20, 20), np.float32), domain).any()
    assert not poisson.fit(values, np.full((20, 20), np.nan, np.float32), domain).any()
    assert not poisson.fit(values, np.ones((20, 20), np.float32), np.zeros_like(domain)).any()
    nothing = np.full_like(values, np.nan)
    assert not poisson.fit(nothing, np.ones((20, 20), np.float32), domain).any()


def test_wrong_arrays_are_refused() -> None:
    known, domain = difference(8, 8), ellipse(8, 8)
    with pytest.raises(EngineError, match="float32"):
        poisson.membrane(known.astype(np.float64), domain)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match=r"expected bool \(8, 8\)"):
        poisson.membrane(known, domain[1:])
    with pytest.raises(EngineError, match="weights are"):
        poisson.fit(known, np.ones((8, 7), np.float32), domain)
    with pytest.raises(EngineError, match="two uint8"):
        poisson.clone(np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8, 3), np.uint8), domain)


def test_warm_up_compiles_what_is_needed() -> None:
    poisson.warm_up()
