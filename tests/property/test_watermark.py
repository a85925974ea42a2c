from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from engine.face import Face, Image
from engine.paste import Patch
from stream.marking.watermark import Watermark
from stream.marking.watermark_reader import MOST_CHANCE, WatermarkReader, chance
from tests.painted_face import landmarks, portrait

SIZE = 480
POINTS = landmarks((240, 230), 330)
FACE = Face(POINTS, track=3)
READER = WatermarkReader()


def picture(seed: int = 0, color_noise: float = 0.0) -> Image:
    """A drawn face with grain, as a camera would see it."""
    flat = portrait(SIZE, SIZE, POINTS)
    random = np.random.default_rng(seed)
    noise = random.normal(0, 4, (SIZE, SIZE, 1)) + random.normal(0, color_noise, flat.shape)
    return np.clip(cv2.GaussianBlur(flat, (0, 0), 2) + noise, 0, 255).astype(np.uint8)


def patch(alpha: float = 1.0) -> Patch:
    pixels = np.zeros((420, 400, 4), np.float32)
    hull = np.rint(cv2.convexHull(POINTS) - (40, 40)).astype(np.int32)
    cv2.fillConvexPoly(pixels, hull, (0, 0, 0, alpha))
    return Patch(pixels, 40, 40)


def marked(image: Image, alpha: float = 1.0) -> Image:
    copy = image.copy()
    assert Watermark()(copy, [FACE], {3: patch(alpha)}) == 1
    return copy


def score(*images: Image, points: np.ndarray = POINTS, reader: WatermarkReader = READER) -> float:
    again = WatermarkReader.__new__(WatermarkReader)
    again.__dict__.update(reader.__dict__, _sums={}, _frames={})
    for image in images:
        again.add(image, [Face(points.astype(np.float32), track=0)])
    return again.traces()[0].score


def test_it_is_found_and_not_seen() -> None:
    image = picture()
    after = marked(image)
    assert chance(score(after)) < MOST_CHANCE
    assert chance(score(image)) > 1e-2
    inside = patch().alpha > 0
    region = np.s_[40:460, 40:440]
    error = (after[region][inside].astype(float) - image[region][inside]) ** 2
    assert 10 * math.log10(255**2 / error.mean()) > 42


def test_only_what_was_swapped_changes() -> None:
    image = picture()
    after = marked(image)
    outside = np.ones((SIZE, SIZE), bool)
    outside[40:460, 40:440] = patch().alpha == 0
    assert np.array_equal(after[outside], image[outside])
    assert np.array_equal(marked(image, alpha=0.0), image)


def test_a_face_without_swap_is_not_marked() -> None:
    image = picture()
    assert Watermark()(image, [FACE], {4: patch()}) == 0
    assert np.array_equal(image, picture())


@pytest.mark.parametrize(("frames", "quality", "scale"), [(1, 90, 1.0), (8, 80, 1.0), (8, 98, 0.5)])
def test_it_survives_jpeg_and_half_the_size(frames: int, quality: int, scale: float) -> None:
    images = []
    for seed in range(frames):
        large = marked(picture(seed))
        small = cv2.resize(large, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
        images.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))
    assert chance(score(*images, points=(POINTS + 0.5) * scale - 0.5)) < MOST_CHANCE


def test_it_is_found_in_the_mirror() -> None:
    mirrored = np.ascontiguousarray(marked(picture())[:, ::-1])
    # Landmarks of the mirrored face, as a detector would name them.
    points = landmarks((SIZE - 1 - 240, 230), 330)
    assert chance(score(mirrored, points=points)) < MOST_CHANCE


def test_it_is_found_where_landmarks_are_a_little_off() -> None:
    image = marked(picture())
    middle = POINTS.mean(axis=0)
    assert chance(score(image, points=(POINTS - middle) * 1.03 + middle + (3, -2))) < MOST_CHANCE


def test_another_pattern_is_not_found() -> None:
    assert score(marked(picture()), reader=WatermarkReader(seed=1)) < 5


def test_pictures_that_know_nothing_of_it_score_low() -> None:
    random = np.random.default_rng(5)
    scores = []
    for _ in range(8):
        noise = random.integers(0, 256, (128, 128, 3), np.uint8)
        smooth = cv2.GaussianBlur(noise, (0, 0), random.uniform(0.5, 4))
        stretched = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)
        scores.append(READER.score(READER.evidence(np.asarray(stretched, np.uint8))))
    assert max(scores) < 5.5
    assert min(chance(value) for value in scores) > MOST_CHANCE
    assert READER.score(READER.evidence(np.full((128, 128, 3), 90, np.uint8))) == 0


def test_frames_add_up_and_held_faces_are_left_out() -> None:
    reader, alone = WatermarkReader(), 0.0
    for seed in range(3):
        noisy = picture(seed, color_noise=30)
        alone = max(alone, score(marked(noisy)))
        reader.add(marked(noisy), [Face(POINTS, track=0)])
        reader.add(noisy, [Face(POINTS, track=0, held=2)])
    (trace,) = reader.traces()
    assert trace.frames == 3
    assert trace.score > alone


def test_more_faces_ask_for_more_certainty() -> None:
    reader = WatermarkReader()
    reader.add(marked(picture()), [Face(POINTS, track=0), Face(POINTS + 40, track=1)])
    first, second = reader.traces()
    assert first.track == 0
    assert first.marked
    assert not second.marked
    assert first.chance == pytest.approx(2 * chance(first.score))
