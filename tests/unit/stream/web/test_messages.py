from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from stream.web.messages import jpeg_size, pack_view, unpack_camera


def jpeg(width: int, height: int, *options: int) -> bytes:
    _, encoded = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8), list(options))
    return encoded.tobytes()


def test_a_picture_is_laid_out_as_browsers_expect() -> None:
    message = pack_view(7, 123.5, b"swapped", b"original", held=True)
    assert struct.unpack_from("<IIdII", message) == (7, 3, 123.5, 7, 8)
    assert message[24:] == b"swappedoriginal"
    message = pack_view(2**32 + 1, 0.0, b"x")
    assert struct.unpack_from("<IIdII", message) == (1, 0, 0.0, 1, 0)


def test_a_cameras_picture() -> None:
    picture = jpeg(32, 16)
    assert unpack_camera(struct.pack("<d", 1.5) + picture) == (1.5, picture)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -float("inf")])
def test_a_time_that_is_no_number(time: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        unpack_camera(struct.pack("<d", time) + jpeg(16, 16))


@pytest.mark.parametrize(
    "options",
    [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)],
    ids=["baseline", "progressive", "restarts"],
)
def test_the_size_is_read_without_decoding(options: tuple[int, ...]) -> None:
    assert jpeg_size(jpeg(37, 21, *options)) == (37, 21)


def test_a_header_that_never_comes() -> None:
    with pytest.raises(ValueError, match="frame header"):
        jpeg_size(b"\xff\xd8" + b"\xff" * 100_000)
    with pytest.raises(ValueError, match="frame header"):
        jpeg_size(b"\xff\xd8" + b"\xff\xe0\x00\x00" * 10_000)
