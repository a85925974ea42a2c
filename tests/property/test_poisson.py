"""Membranes over any domain: defined, between what is known, and near the exact ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine import poisson
from tests.membranes import Domain, difference, exact

sides = st.integers(1, 24)


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    size = (draw(sides), draw(sides))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    domain = random.random(size) < draw(st.floats(0, 1))
    for _ in range(draw(st.integers(0, 3))):
        y, x = random.integers(0, size[0]), random.integers(0, size[1])
        domain[y : y + random.integers(1, 12), x : x + random.integers(1, 12)] = draw(st.booleans())
    return domain


@given(domains(), st.integers(0, 9))
def test_near_the_exact_solution_wherever_something_is_known(domain: Domain, seed: int) -> None:
    # Strips one pixel wide between rough values are the hardest; faces are in the unit tests.
    known = difference(*domain.shape, seed=seed)
    surface = poisson.membrane(known, domain)
    assert not surface[~domain].any()
    if domain.all():
        assert not surface.any()
    else:
        assert np.abs(surface - exact(known, domain)).max() <= 0.2 * np.ptp(known)


@given(domains(), st.floats(-200, 200))
def test_a_constant_difference_is_carried_everywhere(domain: Domain, level: float) -> None:
    known = np.full((*domain.shape, 3), level, np.float32)
    surface = poisson.membrane(known, domain)
    if not domain.all():
        assert np.abs(surface[domain] - np.float32(level)).max(initial=0.0) <= 0.5


@given(
    domains(),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e38, -1e38, 255.0, 0.0]),
    st.floats(0, 1),
    st.sampled_from([np.nan, np.inf, -1.0, 0.0, 1.0, 1e30]),
)
def test_any_input_has_a_finite_result(
    domain: Domain, wrong: float, share: float, weight: float
) -> None:
    random = np.random.default_rng(1)
    known = difference(*domain.shape)
    known[random.random(domain.shape) < share] = wrong
    weights = np.where(random.random(domain.shape) < share, weight, 0.5).astype(np.float32)
    for surface in (poisson.membrane(known, domain), poisson.fit(known, weights, domain)):
        assert np.isfinite(surface).all()
        assert np.abs(surface).max(initial=0.0) <= 1000.0
