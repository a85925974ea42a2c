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
    to_bgr(av.VideoFrame(64, 48, "yuv420p"))  # The first call compiles, which leaves cycles.
    gc.collect()
    gc.disable()
    try:
        to_bgr(av.VideoFrame(64, 48, "yuv420p"))
        assert gc.collect() == 0, "only the garbage collector finds it: megabytes wait for that"
    finally:
        gc.enable()


def noise(size: tuple[int, int], pix_fmt: str, colorspace: int, color_range: int) -> av.VideoFrame:
    """Random pictures of one seed: the same whether U and V are interleaved or not."""
    random = np.random.default_rng(5)
    frame = av.VideoFrame(*size, pix_fmt)
    frame.colorspace, frame.color_range = colorspace, color_range
    width, height = size
    half = ((height + 1) // 2, (width + 1) // 2)
    y = random.integers(0, 256, (height, width), np.uint8)
    u, v = random.integers(0, 256, (2, *half), np.uint8)
    interleaved = np.stack([u, v], axis=-1).reshape(half[0], -1)
    held = (y, u, v) if pix_fmt == "yuv420p" else (y, interleaved)
    for plane, values in zip(frame.planes, held, strict=True):
        memory = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        memory[: len(values), : values.shape[1]] = values
    return frame


@pytest.mark.parametrize("size", [(64, 48), (70, 37), (35, 33)])
@pytest.mark.parametrize("colorspace", [1, 5, 9, 2], ids=["709", "601", "2020", "untagged"])
@pytest.mark.parametrize("color_range", [1, 2], ids=["limited", "full"])
def test_interleaved_chroma_is_converted_alike(
    size: tuple[int, int], colorspace: int, color_range: int
) -> None:
    planar, nv12 = (noise(size, name, colorspace, color_range) for name in ("yuv420p", "nv12"))
    assert np.array_equal(to_bgr(nv12), to_bgr(planar))


def test_ten_bits_as_hardware_hands_them_over_are_converted_alike() -> None:
    planar = noise((64, 48), "yuv420p", 1, 1).reformat(format="yuv420p10le")
    assert np.array_equal(to_bgr(planar.reformat(format="p010le")), to_bgr(planar))
