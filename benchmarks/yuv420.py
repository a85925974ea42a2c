"""What does an exact color conversion cost, and what does an inexact one do to the picture?

Processor time of one thread for a 720p picture, BT.709 limited range, the best of many
rounds taken in turn; error in levels against the equation in floating point.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import click
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.turns import best_of_turns
from stream import yuv420
from stream.yuv420 import BT709

_EXACT = (
    Interpolation.AREA
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
_WIDTH, _HEIGHT = 1280, 720


@click.command("yuv420")
@click.option("--rounds", default=200, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def convert(rounds: int, file: Path | None) -> None:
    """Our YUV 4:2:0 conversion against FFmpeg's swscale, both directions."""
    frame = _frame()
    image = yuv420.to_bgr(yuv420.views(frame.planes), (_WIDTH, _HEIGHT), BT709, full_range=False)
    picture = av.VideoFrame.from_numpy_buffer(image, "bgr24")

    def ours() -> av.VideoFrame:
        made = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
        yuv420.from_bgr(image, BT709, yuv420.views(made.planes))
        return made

    def swscale(flags: Interpolation) -> av.VideoFrame:
        return picture.reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=flags,
            threads=1,
        )

    def decoded(flags: Interpolation) -> NDArray[np.uint8]:
        return np.asarray(frame.to_ndarray(format="bgr24", interpolation=flags, threads=1))

    def view() -> NDArray[np.uint8]:
        planes = yuv420.views(frame.planes)
        return yuv420.to_bgr(planes, (_WIDTH, _HEIGHT), BT709, full_range=False)

    to_bgr: dict[str, Callable[[], Any]] = {
        "ours": view,
        "swscale": lambda: decoded(Interpolation.BILINEAR),
        "swscale_exact": lambda: decoded(_EXACT),
    }
    from_bgr: dict[str, Callable[[], Any]] = {
        "ours": ours,
        "swscale": lambda: swscale(Interpolation.BILINEAR),
        "swscale_exact": lambda: swscale(_EXACT),
    }
    luma, bgr = _luma_of(image), _bgr_of(frame)
    result = {
        "question": "processor time and error of YUV 4:2:0 conversion at 1280x720",
        "machine": describe(),
        "to_bgr": _report(to_bgr, rounds, lambda made: made - bgr),
        "from_bgr": _report(from_bgr, rounds, lambda made: _luma(made) - luma),
    }
    text = json.dumps(result)
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(text)


def _report(
    ways: dict[str, Callable[[], Any]],
    rounds: int,
    error: Callable[[Any], NDArray[np.float64]],
) -> dict[str, dict[str, float]]:
    errors = {name: error(convert()) for name, convert in ways.items()}
    best_s = best_of_turns(ways, rounds)
    return {
        name: {
            "ms": round(best_s[name] * 1e3, 3),
            "times_ours": round(best_s[name] / best_s["ours"], 2),
            "mean_error": round(float(errors[name].mean()), 3),
        }
        for name in ways
    }


def _frame() -> av.VideoFrame:
    random = np.random.default_rng(1)
    frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
    for plane, (low, high) in zip(
        yuv420.views(frame.planes), [(60, 190), (108, 148), (108, 148)], strict=True
    ):
        noise = random.integers(low, high, plane.shape, np.uint8)
        plane[:] = cv2.GaussianBlur(noise, (0, 0), 1.5)
    frame.colorspace, frame.color_range = 1, ColorRange.MPEG
    return frame


def _bgr_of(frame: av.VideoFrame) -> NDArray[np.float64]:
    y, u, v = (plane.astype(np.float64) for plane in yuv420.views(frame.planes))
    light = (y[:, :_WIDTH] - 16) * 255 / 219
    cb, cr = (
        (plane[:, : _WIDTH // 2].repeat(2, 0).repeat(2, 1) - 128) * 255 / 224 for plane in (u, v)
    )
    blue = light + 2 * (1 - BT709.blue) * cb
    red = light + 2 * (1 - BT709.red) * cr
    green = (light - BT709.blue * blue - BT709.red * red) / (1 - BT709.red - BT709.blue)
    return np.clip(np.stack([blue, green, red], axis=-1), 0, 255)


def _luma_of(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    weights = np.array([BT709.blue, 1 - BT709.red - BT709.blue, BT709.red])
    return np.asarray(16 + image @ weights * 219 / 255)


def _luma(frame: av.VideoFrame) -> NDArray[np.float64]:
    return yuv420.views(frame.planes)[0][:, :_WIDTH].astype(np.float64)
