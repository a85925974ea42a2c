from __future__ import annotations

import numpy as np

from export.occluders import random_glasses, random_occluder
from tests.unit.export import tiny


def test_changes_the_picture_only_where_it_is_opaque() -> None:
    rng = np.random.default_rng(0)
    image = tiny.face(rng, 128)
    shares = []
    for _ in range(60):
        covered, opacity = random_occluder(image, rng)
        assert (covered[opacity == 0] == image[opacity == 0]).all()
        shares.append((opacity > 128).mean())
    assert 0.02 < np.median(shares) < 0.5
    assert max(shares) < 0.9


def test_things_differ() -> None:
    rng = np.random.default_rng(0)
    image = tiny.face(rng, 64)
    shapes = {random_occluder(image, rng)[1].tobytes() for _ in range(20)}
    assert len(shapes) == 20


def test_clear_glasses_frame_the_eyes() -> None:
    rng = np.random.default_rng(0)
    image = np.full((128, 128, 3), 200, np.uint8)
    worn = random_glasses(image, rng)
    assert image.min() == 200
    changed = (worn != image).any(axis=2)
    rows = np.flatnonzero(changed.any(axis=1)) / 128
    assert 0.15 < rows.min() < rows.max() < 0.55
    assert 0.01 < changed.mean() < 0.15
