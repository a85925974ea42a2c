from __future__ import annotations

import numpy as np
import pytest

from stream import yuv420
from stream.yuv420 import BT601, BT709, BT2020, Luma, Planes

LUMAS = [BT601, BT709, BT2020]


def planes(width: int, height: int, padding: int = 0) -> Planes:
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    return (
        np.zeros((height, width + padding), np.uint8),
        np.zeros((half_height, half_width + padding), np.uint8),
        np.zeros((half_height, half_width + padding), np.uint8),
    )


@pytest.mark.parametrize("luma", LUMAS, ids=["601", "709", "2020"])
@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
def test_to_bgr_is_the_equation_rounded(luma: Luma, full_range: bool) -> None:
    random = np.random.default_rng(7)
    size = (70, 37)  # odd, and more than one band
    y, u, v = planes(*size, padding=6)
    for plane in (y, u, v):
        plane[:] = random.integers(0, 256, plane.shape)
    got = yuv420.to_bgr((y, u, v), size, luma, full_range=full_range)

    green = 1 - luma.red - luma.blue
    light = y[:, :70] * 1.0 if full_range else (y[:, :70] - 16.0) * 255 / 219
    scale = 1.0 if full_range else 255 / 224
    cb = (u[:, :35].repeat(2, 0).repeat(2, 1)[:37] - 128.0) * scale
    cr = (v[:, :35].repeat(2, 0).repeat(2, 1)[:37] - 128.0) * scale
    blue, red = light + 2 * (1 - luma.blue) * cb, light + 2 * (1 - luma.red) * cr
    want = np.stack([blue, (light - luma.blue * blue - luma.red * red) / green, red], axis=-1)
    error = np.abs(got - np.clip(want, 0, 255))
    assert error.max() < 0.55, "fixed-point factors cost less than a tenth of a level"


@pytest.mark.parametrize("luma", LUMAS, ids=["601", "709", "2020"])
def test_from_bgr_is_the_equation_rounded(luma: Luma) -> None:
    image = np.random.default_rng(8).integers(0, 256, (66, 40, 3), np.uint8)
    y, u, v = planes(40, 66, padding=3)
    yuv420.from_bgr(image, luma, (y, u, v))

    blue, green, red = (image[..., channel].astype(float) for channel in range(3))
    light = luma.blue * blue + (1 - luma.red - luma.blue) * green + luma.red * red
    assert np.abs(y[:, :40] - (16 + light * 219 / 255)).max() < 0.51

    def mean(plane: np.ndarray) -> np.ndarray:
        return plane.reshape(33, 2, 20, 2).mean(axis=(1, 3))

    cb, cr = mean(blue - light) / (2 - 2 * luma.blue), mean(red - light) / (2 - 2 * luma.red)
    assert np.abs(u[:, :20] - (128 + cb * 224 / 255)).max() < 0.51
    assert np.abs(v[:, :20] - (128 + cr * 224 / 255)).max() < 0.51


@pytest.mark.parametrize("luma", LUMAS, ids=["601", "709", "2020"])
def test_decoded_picture_is_encoded_to_the_same_values(luma: Luma) -> None:
    random = np.random.default_rng(9)
    y, u, v = planes(64, 48)
    y[:] = random.integers(90, 160, y.shape)
    u[:] = random.integers(110, 146, u.shape)
    v[:] = random.integers(110, 146, v.shape)
    image = yuv420.to_bgr((y, u, v), (64, 48), luma, full_range=False)
    again = planes(64, 48)
    yuv420.from_bgr(image, luma, again)
    for before, after in zip((y, u, v), again, strict=True):
        assert np.abs(before.astype(int) - after).max() <= 1
        assert abs(before.mean() - after.mean()) < 0.05


def test_black_gray_and_white_stay() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 2:4], image[:, 4:] = 128, 255
    target = planes(6, 4)
    yuv420.from_bgr(image, BT709, target)
    assert target[0][0].tolist() == [16, 16, 126, 126, 235, 235]
    assert set(target[1].ravel()) == set(target[2].ravel()) == {128}
    assert np.array_equal(yuv420.to_bgr(target, (6, 4), BT709, full_range=False), image)
