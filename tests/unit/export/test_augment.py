from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from export.augment import (
    NO_AUGMENT,
    PairAugment,
    paired_sample,
    similarity,
)
from export.dataset import stored_to_crop
from tests.unit.export import tiny

GEOMETRY_ONLY = PairAugment(jitter=0.0, occluder=0.0, glasses=0.0, camera=False)
SIZES = {"input_size": 64, "output_size": 128}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def center_of_dot(image: np.ndarray) -> np.ndarray:
    weight = image.astype(float)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def test_similarity_turns_and_scales_about_the_center() -> None:
    matrix = similarity(11, 30.0, 1.5, (0.0, 0.0))
    np.testing.assert_allclose(matrix[:, :2] @ [5, 5] + matrix[:, 2], [5, 5])
    np.testing.assert_allclose(
        similarity(10, 0.0, 1.0, (0.1, -0.2)), [[1, 0, 1], [0, 1, -2]], atol=1e-12
    )


def test_an_unvaried_pair_is_the_center_of_the_stored_crops(rng: np.random.Generator) -> None:
    pairs = tiny.shard(1)
    sample = paired_sample(pairs.masked()[0], rng, NO_AUGMENT, side="b", **SIZES)
    np.testing.assert_array_equal(
        sample.target, cv2.warpAffine(pairs.b[0], stored_to_crop(128), (128, 128))
    )
    # The input at half the size is the average of 2x2 pixels: the same place.
    own = paired_sample(pairs.masked()[0], rng, NO_AUGMENT, side="a", **SIZES).target
    smaller = own.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(sample.face - smaller).max() <= 1


def test_both_sides_of_a_pair_move_together() -> None:
    pairs = tiny.shard(1)
    same = replace(pairs, b=pairs.a)
    for seed in range(5):
        drawn = [
            paired_sample(
                same.masked()[0], np.random.default_rng(seed), GEOMETRY_ONLY, side=side, **SIZES
            )
            for side in ("a", "b")
        ]
        np.testing.assert_array_equal(drawn[0].target, drawn[1].target)
        np.testing.assert_array_equal(drawn[0].face, drawn[1].face)


def test_jitter_moves_a_and_its_mask_but_not_b() -> None:
    pairs = tiny.shard(1)
    jittered = replace(NO_AUGMENT, jitter=0.03)
    sample = paired_sample(pairs.masked()[0], np.random.default_rng(0), jittered, side="b", **SIZES)
    still = paired_sample(
        pairs.masked()[0], np.random.default_rng(0), NO_AUGMENT, side="b", **SIZES
    )
    np.testing.assert_array_equal(sample.target, still.target)
    moved = center_of_dot(sample.mask) - center_of_dot(still.mask)
    assert np.hypot(*moved) > 1
    own = paired_sample(pairs.masked()[0], np.random.default_rng(0), jittered, side="a", **SIZES)
    np.testing.assert_array_equal(own.mask, sample.mask)


def test_the_target_never_shows_what_covers_the_face() -> None:
    pairs = tiny.shard(1)
    covered = replace(NO_AUGMENT, occluder=1.0)
    clean = paired_sample(
        pairs.masked()[0], np.random.default_rng(0), NO_AUGMENT, side="a", **SIZES
    )
    left_out = []
    for seed in range(20):
        sample = paired_sample(
            pairs.masked()[0], np.random.default_rng(seed), covered, side="a", **SIZES
        )
        np.testing.assert_array_equal(sample.target, clean.target)
        assert (sample.mask <= clean.mask).all()
        np.testing.assert_array_equal(sample.region, clean.region)
        changed = np.abs(sample.face.astype(int) - clean.face).max(axis=2) > 40
        opaque = cv2.resize(clean.mask - sample.mask, (64, 64), interpolation=cv2.INTER_AREA)
        on_face = cv2.resize(clean.mask, (64, 64), interpolation=cv2.INTER_AREA) == 255
        assert not (changed & on_face & (opaque == 0)).any()
        left_out.append((opaque > 128).mean())
    assert max(left_out) > 0.05


def test_the_same_seed_makes_the_same_sample() -> None:
    pairs = tiny.shard(1)
    first, second = (
        paired_sample(pairs.masked()[0], np.random.default_rng(7), PairAugment(), side="b", **SIZES)
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
