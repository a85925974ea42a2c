from __future__ import annotations

import gc

import av
import numpy as np
import pytest

from stream.sources.picture import to_bgr, upright

IMAGE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
ONE = 65_536


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[ONE, 0], [0, ONE]], IMAGE),
        ([[0, -ONE], [ONE, 0]], np.rot90(IMAGE, 1)),
        ([[0, ONE], [-ONE, 0]], np.rot90(IMAGE, -1)),
        ([[-ONE, 0], [0, -ONE]], np.rot90(IMAGE, 2)),
        ([[-ONE, 0], [0, ONE]], IMAGE[:, ::-1]),
        ([[ONE, 0], [0, -ONE]], IMAGE[::-1]),
        ([[0, ONE], [ONE, 0]], IMAGE.transpose(1, 0, 2)),
        ([[0, -ONE], [-ONE, 0]], np.rot90(IMAGE, 2).transpose(1, 0, 2)),
    ],
)
def test_all_eight_orientations(matrix: list[list[int]], expected: np.ndarray) -> None:
    got = upright(IMAGE, np.array(matrix, np.int32))
    assert np.array_equal(got, expected)
    assert got.flags.c_contiguous


def test_a_converted_frame_is_freed_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        to_bgr(av.VideoFrame(64, 48, "yuv420p"))
        assert gc.collect() == 0, "only the garbage collector finds it: megabytes wait for that"
    finally:
        gc.enable()
