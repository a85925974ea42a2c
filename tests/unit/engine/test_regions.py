"""Landmark sets."""

from __future__ import annotations

import numpy as np
import pytest

from engine import regions

SETS = [name for name in vars(regions) if name.isupper() and name != "SKIN_PATCHES"]


@pytest.mark.parametrize("name", SETS)
def test_indices_exist_and_are_named_once(name: str) -> None:
    indices = getattr(regions, name)
    assert indices.min() >= 0
    assert indices.max() < 478
    assert len(np.unique(indices)) == len(indices)


def test_skin_patches_keep_clear_of_eyes_lips_and_of_each_other() -> None:
    taken = np.concatenate(regions.SKIN_PATCHES)
    assert len(np.unique(taken)) == len(taken)
    for part in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.LIPS):
        assert not set(taken) & set(part)


def test_both_sides_have_as_many_points_and_share_none() -> None:
    for part in ("EYE", "BROW", "EYE_AND_BROW"):
        right, left = getattr(regions, f"RIGHT_{part}"), getattr(regions, f"LEFT_{part}")
        assert len(right) == len(left)
        assert not set(right) & set(left)
