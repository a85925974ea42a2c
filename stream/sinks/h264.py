"""Which H.264 encoder compresses, and what each of them is told of the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias, TypeVar

import av
from av.video.codeccontext import VideoCodecContext

from stream.errors import SinkError
from stream.sinks.yuv import LIMITED, ColorTags

T = TypeVar("T")

Encoder: TypeAlias = Literal["auto", "libx264", "h264_nvenc"]
"""FFmpeg's names; with `auto` the kind of output decides."""


def opened(wanted: Encoder, auto: Sequence[str], open_: Callable[[str], T]) -> T:
    """Opens the encoder that was asked for, or with `auto` the first one that works.

    Args:
        wanted: as the user set it.
        auto: names to be tried, the best first.
        open_: opens the encoder of that name, or raises one of FFmpeg's errors.

    Returns:
        What `open_` returned.

    Raises:
        SinkError: it does not work here, or none of them.
    """
    names = auto if wanted == "auto" else [wanted]
    for name in names:
        try:
            return open_(name)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if name == names[-1]:
                why = f"{words(error)}{_advice(name)}"
                raise SinkError(f"{name}: cannot be opened: {why}") from error
    raise AssertionError("no encoder to try")


def describe(
    context: VideoCodecContext, size: tuple[int, int], tags: ColorTags, aspect: Fraction
) -> None:
    """Tells an encoder that is not open yet what its pictures are, as `to_yuv` makes them.

    Args:
        context: changed.
        size: width and height of the pictures in pixels; odd ones get one more.
        tags: their colors.
        aspect: width of a pixel over its height.
    """
    width, height = size
    context.width, context.height = width + width % 2, height + height % 2
    context.pix_fmt = "yuv420p"
    context.colorspace = tags.matrix
    context.color_primaries = tags.primaries
    context.color_trc = tags.transfer
    context.color_range = LIMITED
    context.sample_aspect_ratio = aspect


def constant_quality(encoder: str, crf: int, preset: str) -> dict[str, str]:
    """FFmpeg's options for files: all pictures look equally good, whatever bits that takes.

    Args:
        encoder: its name.
        crf: 0 (lossless) to 51; 1 to 51 for NVIDIA's, for which 0 means something else.
        preset: of x264.
    """
    if encoder == "h264_nvenc":
        # Without B-frames each picture's time is also its order, whatever its rate.
        rate = {"rc": "vbr", "cq": str(crf), "b": "0"}
        return rate | {"preset": "p5", "tune": "hq", "profile": "high", "bf": "0"}
    return {"crf": str(crf), "preset": preset}


def low_delay(encoder: str, preset: str) -> dict[str, str]:
    """FFmpeg's options for live pictures: none is held back.

    Args:
        encoder: its name.
        preset: of x264.
    """
    if encoder == "h264_nvenc":
        return {"preset": "p4", "tune": "ull", "rc": "cbr", "zerolatency": "1", "delay": "0"}
    # Frame threads would hold one picture back for each thread.
    return {"preset": preset, "tune": "zerolatency", "sc_threshold": "0"}


def words(error: Exception) -> str:
    """Why an encoder did not open."""
    if isinstance(error, PermissionError):  # FFmpeg's word for a library that it did not find
        return "its driver library cannot be loaded"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _advice(name: str) -> str:
    if name != "h264_nvenc":
        return ""
    return (
        "; it needs an NVIDIA graphics card with an encoder and its driver; choose libx264 or auto"
    )
