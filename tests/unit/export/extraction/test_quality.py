from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from export.extraction.quality import Limits, measure, pitch_deg
from tests.painted_face import landmarks, portrait
from tests.unit.export.extraction.faked import GOOD

CENTER = (320.0, 240.0)


def noisy_portrait() -> np.ndarray:
    image = portrait(480, 640, landmarks(CENTER, 200.0)).astype(np.int16)
    noise = np.random.default_rng(0).integers(-40, 40, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_a_face_is_measured() -> None:
    scores, thumbnail = measure(noisy_portrait(), landmarks(CENTER, 200.0, 20.0))
    assert scores.size_px == pytest.approx(200.0, abs=0.1)
    assert scores.roll_deg == pytest.approx(20.0, abs=0.1)
    assert scores.inside == 1.0
    assert 0.4 < scores.exposure < 0.65
    assert thumbnail.shape == (16, 16)


def test_blur_is_seen_and_contrast_is_not() -> None:
    points, image = landmarks(CENTER, 200.0), noisy_portrait()
    sharp = measure(image, points)[0].sharpness
    blurred = [
        measure(np.asarray(cv2.GaussianBlur(image, (0, 0), sigma)), points)[0].sharpness
        for sigma in (1.0, 2.0, 4.0)
    ]
    assert sorted([sharp, *blurred], reverse=True) == [sharp, *blurred]
    pale = np.asarray(image // 2 + 60, np.uint8)
    assert measure(pale, points)[0].sharpness == pytest.approx(sharp, rel=0.1)


def test_a_face_at_the_border_is_cut_off_and_a_white_one_clipped() -> None:
    points = landmarks((10.0, 240.0), 200.0)
    scores, _ = measure(np.full((480, 640, 3), 255, np.uint8), points)
    assert scores.inside < 0.8
    assert scores.clipped == 1.0
    assert scores.exposure == 1.0
    assert scores.sharpness == 0.0


def test_a_nose_that_sinks_looks_down() -> None:
    points = landmarks(CENTER, 200.0)
    points[[10, 152, 234, 454]] = [(320, 140), (320, 340), (240, 220), (400, 220)]
    points[1] = (320, 241.5)
    assert pitch_deg(points) == pytest.approx(0.0, abs=0.5)
    points[1] = (320, 270)
    assert pitch_deg(points) > 10
    assert pitch_deg(np.zeros((478, 2), np.float32)) == 0.0


@pytest.mark.parametrize(
    ("score", "value", "problem"),
    [
        ("size_px", 47.0, "too small"),
        ("inside", 0.9, "cut off"),
        ("yaw_deg", -61.0, "turned away"),
        ("pitch_deg", 41.0, "turned away"),
        ("roll_deg", -91.0, "turned away"),
        ("exposure", 0.07, "too dark"),
        ("exposure", 0.93, "too bright"),
        ("clipped", 0.31, "clipped"),
        ("sharpness", 0.05, "blurred"),
    ],
)
def test_each_limit_counts(score: str, value: float, problem: str) -> None:
    assert Limits().problem(GOOD) is None
    assert Limits().problem(replace(GOOD, **{score: value})) == problem
