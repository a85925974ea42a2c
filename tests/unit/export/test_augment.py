from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from export.augment import (
    NO_AUGMENT,
    PairAugment,
    classic_sample,
    paired_sample,
    random_transform,
    random_warp,
    similarity,
)
from export.dataset import stored_to_crop
from tests.unit.export import tiny

GEOMETRY_ONLY = PairAugment(jitter=0.0, occluder=0.0, glasses=0.0, camera=False)
SIZES = {"input_size": 64, "output_size": 128}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def ramp(size: int) -> np.ndarray:
    """A picture whose first two channels say where a pixel is."""
    place = np.arange(size)
    x, y = np.meshgrid(place, place)
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


def center_of_dot(image: np.ndarray) -> np.ndarray:
    weight = image.astype(float)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("coverage", [160 / 256, 0.8, 1.0])
def test_a_warp_without_noise_is_its_target(rng: np.random.Generator, coverage: float) -> None:
    image = cv2.GaussianBlur(rng.integers(0, 256, (256, 256, 3), np.uint8), (0, 0), 3)
    bent, target = random_warp(image, rng, 64, 64, coverage=coverage, sigma=0.0)
    assert np.abs(bent.astype(int) - target).max() <= 1


def test_a_warp_without_noise_cuts_out_the_center(rng: np.random.Generator) -> None:
    bent, target = random_warp(ramp(256), rng, 64, 128, sigma=0.0)
    # 160 of 256 pixels, edge to edge: pixel i of n has its center at (i + 0.5) / n.
    for picture in (bent, target):
        size = len(picture)
        expected = 48 + (np.arange(size) + 0.5) / size * 160 - 0.5
        np.testing.assert_allclose(picture[size // 2, :, 0], expected, atol=0.6)


def test_warp_noise_has_the_size_of_2017(rng: np.random.Generator) -> None:
    moved = []
    for _ in range(100):
        bent, target = random_warp(ramp(256), rng, 64, 64)
        moved.append(np.hypot(*np.moveaxis((bent.astype(float) - target)[..., :2], -1, 0)) / 2.5)
    assert np.mean(moved) == pytest.approx(1.63, abs=0.15)
    assert np.percentile(moved, 95) == pytest.approx(3.29, abs=0.3)


def test_random_transform_stays_within_its_limits(rng: np.random.Generator) -> None:
    dot = np.zeros((256, 256, 3), np.uint8)
    cv2.circle(dot, (128, 128), 6, (255, 255, 255), -1)
    places = np.array([center_of_dot(random_transform(dot, rng)[..., 0]) for _ in range(200)])
    assert np.abs(places - 127.5).max() < 0.05 * 256 + 1.5
    assert np.abs(places - 127.5).max() > 0.04 * 256


def test_similarity_turns_and_scales_about_the_center() -> None:
    matrix = similarity(11, 30.0, 1.5, (0.0, 0.0))
    np.testing.assert_allclose(matrix[:, :2] @ [5, 5] + matrix[:, 2], [5, 5])
    np.testing.assert_allclose(
        similarity(10, 0.0, 1.0, (0.1, -0.2)), [[1, 0, 1], [0, 1, -2]], atol=1e-12
    )


def test_an_unvaried_pair_is_the_center_of_the_stored_crops(rng: np.random.Generator) -> None:
    pairs = tiny.shard(1)
    sample = paired_sample(pairs, 0, rng, NO_AUGMENT, side="b", **SIZES)
    np.testing.assert_array_equal(
        sample.target, cv2.warpAffine(pairs.b[0], stored_to_crop(128), (128, 128))
    )
    # The input at half the size is the average of 2x2 pixels: the same place.
    own = paired_sample(pairs, 0, rng, NO_AUGMENT, side="a", **SIZES).target
    smaller = own.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(sample.face - smaller).max() <= 1


def test_both_sides_of_a_pair_move_together() -> None:
    pairs = tiny.shard(1)
    same = replace(pairs, b=pairs.a)
    for seed in range(5):
        drawn = [
            paired_sample(same, 0, np.random.default_rng(seed), GEOMETRY_ONLY, side=side, **SIZES)
            for side in ("a", "b")
        ]
        np.testing.assert_array_equal(drawn[0].target, drawn[1].target)
        np.testing.assert_array_equal(drawn[0].face, drawn[1].face)


def test_jitter_moves_a_and_its_mask_but_not_b() -> None:
    pairs = tiny.shard(1)
    jittered = replace(NO_AUGMENT, jitter=0.03)
    sample = paired_sample(pairs, 0, np.random.default_rng(0), jittered, side="b", **SIZES)
    still = paired_sample(pairs, 0, np.random.default_rng(0), NO_AUGMENT, side="b", **SIZES)
    np.testing.assert_array_equal(sample.target, still.target)
    moved = center_of_dot(sample.mask) - center_of_dot(still.mask)
    assert np.hypot(*moved) > 1
    own = paired_sample(pairs, 0, np.random.default_rng(0), jittered, side="a", **SIZES)
    np.testing.assert_array_equal(own.mask, sample.mask)


def test_the_target_never_shows_what_covers_the_face() -> None:
    pairs = tiny.shard(1)
    covered = replace(NO_AUGMENT, occluder=1.0)
    clean = paired_sample(pairs, 0, np.random.default_rng(0), NO_AUGMENT, side="a", **SIZES)
    left_out = []
    for seed in range(20):
        sample = paired_sample(pairs, 0, np.random.default_rng(seed), covered, side="a", **SIZES)
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
        paired_sample(pairs, 0, np.random.default_rng(7), PairAugment(), side="b", **SIZES)
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_classic_samples_have_a_mask_only_where_something_covers(rng: np.random.Generator) -> None:
    image = tiny.face(rng, 256)
    plain = classic_sample(image, rng, **SIZES)
    assert plain.mask.min() == 255
    covered = [classic_sample(image, rng, **SIZES, occluder=1.0).mask.min() for _ in range(5)]
    assert min(covered) < 128


def test_a_still_classic_sample_is_the_center(rng: np.random.Generator) -> None:
    image = tiny.face(rng, 256)
    sample = classic_sample(image, rng, input_size=64, output_size=64, still=True)
    assert np.abs(sample.face.astype(int) - sample.target).max() <= 1
