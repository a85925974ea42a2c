from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.align import FULL_FACE, apply, umeyama
from export.classic import (
    COVERAGE,
    STILL,
    ClassicAugment,
    bend,
    classic_samples,
    random_warps,
    store,
    target_to_picture,
)
from tests.painted_face import landmarks
from tests.unit.export import tiny

RIGID = ClassicAugment(sigma=0.0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def ramp(size: int) -> np.ndarray:
    """A picture whose first two channels say where a pixel is."""
    place = np.arange(size)
    x, y = np.meshgrid(place, place)
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


def aligned_landmarks() -> np.ndarray:
    """Landmarks of an upright face in units of its picture's side."""
    points = landmarks((300.0, 200.0), 240.0)
    unit_square = apply(FULL_FACE.frame_to_crop(points, 1), points) + 0.5
    return 0.5 + (unit_square - 0.5) * COVERAGE


def test_a_warp_without_noise_is_its_target(rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (256, 256, 3), np.uint8)
    face = store(np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8), None, (64,))
    samples = classic_samples([face] * 20, rng, RIGID, input_size=64, output_size=64)
    assert np.abs(samples.face.astype(int) - samples.target).max() <= 1
    assert np.abs(samples.face[0].astype(int) - samples.face[1]).max() > 20


def test_a_still_sample_is_the_center(rng: np.random.Generator) -> None:
    samples = classic_samples(
        [store(ramp(256), None, (64, 128))], rng, STILL, input_size=64, output_size=128
    )
    # 160 of 256 pixels, edge to edge: pixel i of n has its center at (i + 0.5) / n.
    for picture in (samples.face[0], samples.target[0]):
        size = len(picture)
        expected = 48 + (np.arange(size) + 0.5) / size * 160 - 0.5
        np.testing.assert_allclose(picture[size // 2, :, 0], expected, atol=1)
        np.testing.assert_allclose(picture[:, size // 2, 1], expected, atol=1)


def test_small_crops_skip_no_pixels(rng: np.random.Generator) -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    face = store(stripes, None, (64, 128))
    assert [len(face.pictures[size]) for size in (64, 128)] == [128, 256]
    samples = classic_samples([face], rng, STILL, input_size=64, output_size=128)
    assert np.abs(samples.face.astype(int) - 128).max() <= 1


def test_warp_noise_has_the_size_of_2017(rng: np.random.Generator) -> None:
    warps = random_warps(200, rng, replace(STILL, sigma=ClassicAugment().sigma))
    picture, moved = ramp(256), []
    for knots, frame in zip(*warps, strict=True):
        bent = bend(picture, knots, 64).astype(float)
        to_picture = target_to_picture(frame, 64, 256)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        target = cv2.warpAffine(picture, to_picture, (64, 64), flags=flags)
        moved.append(np.hypot(*np.moveaxis((bent - target)[..., :2], -1, 0)) / 2.5)
    # The 2017 system's 1.63 and 3.29 pixels include its constant half a pixel right and down.
    assert np.mean(moved) == pytest.approx(1.53, abs=0.05)
    assert np.percentile(moved, 95) == pytest.approx(3.1, abs=0.1)


def test_the_target_is_the_least_squares_similarity(rng: np.random.Generator) -> None:
    warps = random_warps(5, rng, ClassicAugment(flip=0.0))
    regular = np.linspace(-0.5, 0.5, 5)
    square = np.stack(np.meshgrid(regular, regular), axis=-1).reshape(-1, 2) * 64 + 31.5
    for knots, frame in zip(*warps, strict=True):
        bent = (np.stack([knots.real, knots.imag], axis=-1).reshape(-1, 2) + 0.5) * 256 - 0.5
        to_picture = target_to_picture(frame, 64, 256)
        there = umeyama(bent, square)
        np.testing.assert_allclose(apply(there, apply(to_picture, square)), square, atol=1e-9)


def test_parameters_of_2017(rng: np.random.Generator) -> None:
    frames = random_warps(4000, rng, RIGID).frames / COVERAGE
    center, right, down = frames.T
    # The varied face is the inverse of where its target looks.
    turned, mirrored = np.angle(down / 1j, deg=True), (right.conj() * down).imag < 0
    assert mirrored.mean() == pytest.approx(0.4, abs=0.03)
    assert np.abs(turned).max() == pytest.approx(10, abs=0.1)
    assert np.abs(turned).mean() == pytest.approx(5, abs=0.2)
    zoomed = 1 / np.abs(down)
    assert (zoomed.min(), zoomed.max()) == pytest.approx((0.95, 1.05), abs=0.001)
    shifted = center * COVERAGE / (down / 1j)
    largest = np.abs([shifted.real, shifted.imag]).max(axis=1)
    assert largest == pytest.approx(0.05, abs=0.003)
    knots = random_warps(400, rng, replace(STILL, sigma=5 / 256)).knots * 256
    noise = knots - random_warps(1, rng, STILL).knots * 256
    assert np.std([noise.real, noise.imag]) == pytest.approx(5, abs=0.1)


def test_a_mirrored_symmetric_face_stays_where_it_is(rng: np.random.Generator) -> None:
    half = cv2.GaussianBlur(rng.integers(0, 256, (256, 128, 3), np.uint8), (0, 0), 3)
    points = aligned_landmarks()
    face = store(np.hstack([half, half[:, ::-1]]), points, (64, 128))
    sizes = {"input_size": 64, "output_size": 128}
    plain, mirrored = (
        classic_samples([face], rng, replace(STILL, flip=flip), **sizes) for flip in (0.0, 1.0)
    )
    for one, other in zip(plain[:2], mirrored[:2], strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    # Region and detail follow the pixels, and this face's own halves differ a little.
    region, detail = plain.region[0][:, ::-1], plain.detail[0][:, ::-1]
    assert (mirrored.region[0] != region).mean() < 0.01
    assert np.abs(mirrored.detail[0].astype(int) - detail).mean() < 1.5


def test_landmarks_say_what_counts(rng: np.random.Generator) -> None:
    points = aligned_landmarks()
    face = store(tiny.face(rng, 256), points, (64, 128))
    samples = classic_samples([face] * 5, rng, ClassicAugment(), input_size=64, output_size=128)
    for region, mask, detail in zip(samples.region, samples.mask, samples.detail, strict=True):
        assert 0.2 < (region == 255).mean() < 0.7
        assert detail.max() == 255
        assert detail[region == 0].sum() < 0.05 * detail.sum()
        np.testing.assert_array_equal(mask, region)
    plain = store(tiny.face(rng, 256), None, (64, 128))
    samples = classic_samples([plain], rng, ClassicAugment(), input_size=64, output_size=128)
    assert samples.region.min() == samples.mask.min() == 255
    assert samples.detail.max() == 0


def test_what_covers_the_face_is_not_in_mask_or_target(rng: np.random.Generator) -> None:
    face = store(tiny.face(rng, 256), None, (64, 64))
    covered = replace(STILL, occluder=1.0)
    samples = classic_samples([face] * 10, rng, covered, input_size=64, output_size=64)
    clean = classic_samples([face], rng, STILL, input_size=64, output_size=64)
    assert samples.region.min() == 255
    for seen, target, mask in zip(samples.face, samples.target, samples.mask, strict=True):
        np.testing.assert_array_equal(target, clean.target[0])
        np.testing.assert_array_equal(seen[mask == 255], clean.face[0][mask == 255])
    assert samples.mask.min() < 128


def test_the_camera_changes_the_input_alone(rng: np.random.Generator) -> None:
    face = store(tiny.face(rng, 256), None, (64, 64))
    filmed = replace(STILL, camera=True)
    samples = classic_samples([face] * 4, rng, filmed, input_size=64, output_size=64)
    assert np.abs(samples.face.astype(int) - samples.target).mean() > 3
    assert (samples.target == samples.target[0]).all()
