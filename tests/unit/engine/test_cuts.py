"""What is a cut and what is only change."""

from __future__ import annotations

import numpy as np

from engine.cuts import CutDetector
from tests.painted_face import smooth_picture


def test_the_first_picture_begins_a_shot() -> None:
    cuts = CutDetector()
    assert cuts.update(smooth_picture(90, 160))
    assert not cuts.update(smooth_picture(90, 160))


def test_another_scene_is_a_cut_once() -> None:
    cuts = CutDetector()
    first, second = smooth_picture(90, 160, seed=1), smooth_picture(90, 160, seed=2)
    assert [cuts.update(image) for image in (first, first, second, second, first)] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_motion_and_noise_are_no_cut() -> None:
    cuts = CutDetector()
    generator = np.random.default_rng(1)
    wide = smooth_picture(90, 400)
    cuts.update(wide[:, :160])
    for x in range(2, 200, 4):
        noisy = wide[:, x : x + 160].astype(int) + generator.normal(0, 8, (90, 160, 3))
        assert not cuts.update(np.clip(noisy, 0, 255).astype(np.uint8))


def test_a_flash_is_no_cut() -> None:
    cuts = CutDetector()
    image = smooth_picture(90, 160)
    cuts.update(image)
    flash = (image * 0.4 + 150).astype(np.uint8)
    assert not cuts.update(flash)
    assert not cuts.update(image)


def test_a_plain_wall_with_noise_is_no_cut() -> None:
    cuts = CutDetector()
    generator = np.random.default_rng(2)
    for i in range(10):
        noise = generator.normal(128, 3, (90, 160, 3)).astype(np.uint8)
        assert cuts.update(noise) == (i == 0)


def test_a_small_sudden_change_is_a_cut_only_in_a_calm_shot() -> None:
    calm, restless = CutDetector(), CutDetector()
    image, other = smooth_picture(90, 160, seed=3), smooth_picture(90, 160, seed=4)
    changed = (image * 0.4 + other * 0.6).astype(np.uint8)
    for i in range(60):
        calm.update(image)
        restless.update(np.roll(image, 12 * (i % 2), axis=1))
    restless.update(image)
    assert calm.update(changed)
    assert not restless.update(changed)


def test_a_restless_shot_after_a_calm_one_is_not_all_cuts() -> None:
    cuts = CutDetector()
    calm, restless = smooth_picture(90, 160, seed=3), smooth_picture(90, 400, seed=4)
    for _ in range(60):
        cuts.update(calm)
    found = [cuts.update(restless[:, 16 * (i % 2) :][:, :160]) for i in range(30)]
    assert found == [True] + [False] * 29


def test_another_size_is_a_cut() -> None:
    cuts = CutDetector()
    cuts.update(smooth_picture(90, 160))
    assert cuts.update(smooth_picture(180, 160))


def test_the_smallest_pictures() -> None:
    for height, width in ((1, 1), (1, 500), (3, 2)):
        cuts = CutDetector()
        image = np.zeros((height, width, 3), np.uint8)
        assert cuts.update(image)
        assert not cuts.update(image)
