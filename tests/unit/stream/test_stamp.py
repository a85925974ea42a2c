from __future__ import annotations

import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from engine.face import Image
from stream import stamp

MS = 1_000_000


def photo(width: int, height: int, seed: int = 0) -> Image:
    """Something as uneven as a picture from a camera."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def stamped(width: int, height: int, time_ms: int) -> Image:
    image = photo(width, height)
    stamp.paint(image, time_ms * MS)
    return image


def h264(images: list[Image], bit_rate: int) -> list[Image]:
    height, width = images[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.bit_rate, encoder.thread_count = bit_rate, 1
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast"}
    packets = []
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(image, "bgr24")
        frame.pts = number
        packets += encoder.encode(frame)
    decoder = av.CodecContext.create("h264", "r")
    decoded = [
        frame for packet in [*packets, *encoder.encode(None)] for frame in decoder.decode(packet)
    ]
    return [frame.to_ndarray(format="bgr24") for frame in [*decoded, *decoder.decode(None)]]


@pytest.mark.parametrize("size", [(320, 180), (641, 363), (720, 1280), (1920, 1080)])
@pytest.mark.parametrize("time_ms", [0, 1, 123_456_789, stamp.PERIOD_MS - 1])
def test_what_is_painted_is_read(size: tuple[int, int], time_ms: int) -> None:
    assert stamp.read(stamped(*size, time_ms)) == time_ms


def test_the_clock_is_rounded_down_and_wraps() -> None:
    image = photo(320, 180)
    stamp.paint(image, (stamp.PERIOD_MS + 5) * MS + MS - 1)
    assert stamp.read(image) == 5


def test_only_the_corner_is_painted() -> None:
    before = photo(640, 360)
    after = before.copy()
    stamp.paint(after, 5 * MS)
    changed = (before != after).any(axis=2)
    assert not changed[40:].any()
    assert not changed[:, 160:].any()
    assert changed[:40, :160].mean() > 0.9


def test_the_documented_format_is_the_one_that_is_painted() -> None:
    # Other programs read it too, such as the page of the panel.
    time_ms = 0xC0FFEE01
    image = stamped(640, 360, time_ms)
    cells = image[5:40:10, 5:160:10, 1] > 128
    rails = [[True, False], [False, True]] * 2
    assert cells[:, [0, -1]].tolist() == rails
    bits = "".join("01"[int(cell)] for cell in cells[:, 1:-1].ravel())
    assert int(bits[:32], 2) == time_ms
    assert int(bits[32:], 2) == zlib.crc32(bytes.fromhex("c0ffee01")) & 0xFFFFFF
    assert set(np.unique(image[:40, :160])) == {16, 235}


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.5, 2])
@pytest.mark.parametrize("way", [cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST])
def test_it_survives_scaling_and_jpeg(scale: float, way: int) -> None:
    image = stamped(320, 180, 987_654_321)
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=way)
    _, jpeg = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 50])
    assert stamp.read(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == 987_654_321


def test_it_survives_h264_at_a_low_rate() -> None:
    times = [1_000_000_007 + 33 * number for number in range(12)]
    decoded = h264([stamped(320, 180, time_ms) for time_ms in times], bit_rate=100_000)
    assert [stamp.read(image) for image in decoded] == times


@pytest.mark.parametrize("change", [-30, 30])
def test_it_survives_another_brightness(change: int) -> None:
    image = stamped(320, 180, 42)
    assert stamp.read(np.clip(image.astype(int) + change, 0, 255).astype(np.uint8)) == 42


def test_it_survives_a_wrong_range_and_a_wrong_matrix() -> None:
    image = stamped(640, 360, 42)
    full = np.clip((image.astype(float) - 16) * 255 / 219, 0, 255).astype(np.uint8)
    limited = (image * (219 / 255) + 16).astype(np.uint8)
    other = av.VideoFrame.from_ndarray(image, "bgr24").reformat(
        format="yuv420p", dst_colorspace="ITU709"
    )
    mistaken = cv2.cvtColor(other.to_ndarray(), cv2.COLOR_YUV2BGR_I420)  # takes it for BT.601
    assert [stamp.read(picture) for picture in (full, limited, mistaken)] == [42, 42, 42]


def test_a_picture_without_a_stamp_has_none() -> None:
    rng = np.random.default_rng(0)
    assert all(stamp.read(photo(320, 180, seed)) is None for seed in range(50))
    for size in [(180, 320), (360, 640), (20, 30), (1, 1)]:
        assert stamp.read(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) is None
        assert stamp.read(np.full((*size, 3), 255, np.uint8)) is None


def test_a_damaged_stamp_is_not_read() -> None:
    for column in range(16):
        for row in range(4):
            image = stamped(320, 180, 123_456_789)
            cell = image[5 * row : 5 * row + 5, 5 * column : 5 * column + 5]
            cell[:] = 251 - cell
            assert stamp.read(image) is None, (column, row)


def test_two_pictures_in_one_are_not_read_as_a_third() -> None:
    one, other = stamped(320, 180, 1000), stamped(320, 180, 1033)
    mixed = (one // 2 + other // 2).astype(np.uint8)
    torn = np.concatenate([one[:10], other[10:]])
    assert stamp.read(mixed) is None
    assert stamp.read(torn) is None


def test_age_is_right_across_the_wrap() -> None:
    assert stamp.age_ns(1000, 1040 * MS) == 40 * MS
    assert stamp.age_ns(stamp.PERIOD_MS - 10, 5 * MS) == 15 * MS
    assert stamp.age_ns(5, (stamp.PERIOD_MS + 7) * MS) == 2 * MS
    assert stamp.age_ns(1000, 990 * MS) == -10 * MS
