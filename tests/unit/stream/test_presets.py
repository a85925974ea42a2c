"""What a preset does to the picture, and what wins over it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine import align
from engine.align import FULL_FACE
from engine.blend import Blender, BlendSettings
from engine.face import Image
from stream import presets
from stream.config import Config, load
from stream.errors import ConfigError
from tests.painted_face import landmarks, portrait, smooth_picture, swapped

POINTS = landmarks((160.0, 120.0), 200.0)
FRAME = portrait(240, 320, POINTS)
NEW = np.full((128, 128, 3), (60, 200, 60), np.uint8)


def blended(settings: BlendSettings, frame: Image = FRAME, swap: Image = NEW) -> Image:
    image = frame.copy()
    Blender(settings)(image, (swapped(POINTS, swap),))
    return image


def of(preset: str, **options: str) -> BlendSettings:
    changes = {f"blend.{key}": value for key, value in options.items()}
    return load(None, [], {"preset": preset, **changes}).blend


def changed_box(image: Image) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of what changed, in the unit square of the crop."""
    y, x = np.nonzero((image != FRAME).any(axis=2))
    to_crop = FULL_FACE.frame_to_crop(POINTS, 1000)
    places = (align.apply(to_crop, np.column_stack([x, y]).astype(float)) + 0.5) / 1000
    return *places.min(axis=0).tolist(), *places.max(axis=0).tolist()


def test_best_is_the_default() -> None:
    assert load(None, [], {"preset": "best"}) == Config()


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_every_key_of_a_preset_is_a_setting(preset: presets.Preset) -> None:
    config = load(None, [], {"preset": preset})
    assert config.preset == preset
    for key, value in presets.settings(preset).items():
        group, name = key.split(".")
        assert getattr(getattr(config, group), name) == value


def test_classic_replaces_a_box_from_the_brows_to_the_mouth() -> None:
    left, top, right, bottom = changed_box(blended(of("classic-2018", color="none")))
    assert left == pytest.approx(0.24, abs=0.01)
    assert right == pytest.approx(0.76, abs=0.01)
    assert top == pytest.approx(0.235, abs=0.01)
    assert bottom == pytest.approx(0.75, abs=0.01)
    default = changed_box(blended(BlendSettings(color="none", blend="feather")))
    assert default[1] < 0.15
    assert default[3] > 0.8


def test_classic_shifts_the_mean_color_and_nothing_else() -> None:
    ramp = smooth_picture(128, 128).astype(int)
    swap = np.clip(100 + (ramp - 128) // 4, 0, 255).astype(np.uint8)
    image = blended(of("classic-2018"), FRAME, swap)
    crop = align.crop(image, FULL_FACE.frame_to_crop(POINTS, 128), 128)
    middle = np.s_[48:80, 48:80]
    shift = crop[middle].astype(int) - swap[middle]
    assert np.abs(shift - np.median(shift, axis=(0, 1))).mean() < 1.0
    plain = blended(of("classic-2018", color="none"), FRAME, swap)
    assert np.abs(plain[120, 160].astype(int) - swap[64, 64]).max() <= 3


def test_classic_treats_each_frame_for_itself() -> None:
    for preset, memory in (("classic-2018", False), ("fast", True)):
        blender, image = Blender(of(preset)), FRAME.copy()
        blender(FRAME // 2, (swapped(POINTS, NEW),))
        blender(image, (swapped(POINTS, NEW, age=1),))
        assert np.array_equal(image, blended(of(preset))) is not memory


def test_classic_seamless_brings_the_seams_color_inside() -> None:
    frame = np.full((240, 320, 3), (110, 140, 190), np.uint8)
    for mask in ("rect", "hull"):
        image = blended(of("classic-2018", blend="poisson", mask=mask, color="none"), frame)
        assert np.abs(image.astype(int) - frame).max() <= 2
    assert np.abs(blended(of("classic-2018", color="none"), frame).astype(int) - frame).max() > 50


def test_fast_matches_color_but_neither_light_nor_grain() -> None:
    noise = np.random.default_rng(0).normal(0, 6, FRAME.shape)
    noisy = np.clip(FRAME + noise, 0, 255).astype(np.uint8)
    smooth = np.full((128, 128, 3), (90, 150, 150), np.uint8)
    patch = np.s_[60:68, 130:190]  # the forehead
    fast, best = blended(of("fast"), noisy, smooth), blended(of("best"), noisy, smooth)
    assert np.abs(fast[patch].mean(axis=(0, 1)) - noisy[patch].mean(axis=(0, 1))).max() < 3.0
    assert fast[patch].std(axis=(0, 1)).max() < 1.0 < best[patch].std(axis=(0, 1)).min()


def test_file_overrides_and_options_win(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('preset = "classic-2018"\n[blend]\ncolor = "mkl"\n')
    config = load(file, ["blend.grain=0.5"], {"blend.mask": "hull"})
    assert config.blend == dataclasses.replace(
        of("classic-2018"), color="mkl", grain=0.5, mask="hull"
    )
    assert load(file, [], {"preset": "fast"}).blend == dataclasses.replace(of("fast"), color="mkl")


@pytest.mark.parametrize("override", ["preset=slow", "preset=[1]", "preset.name=1"])
def test_unknown_preset_names_the_known_ones(override: str) -> None:
    with pytest.raises(ConfigError, match="expected one of best, classic-2018, fast"):
        load(None, [override], {})
