"""Outputs tried out: encoders with a few pictures that are read back, cameras without any."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.sinks.h264 import words
from stream.sinks.settings import SinkSettings
from stream.sinks.v4l2_output import V4L2Output
from stream.sinks.video import VideoFile

_WIDTH, _HEIGHT, _RATE = 320, 240, 25
_FRAMES = 3


def try_video_file(path: Path) -> None:
    """Write a short file with the sink that runs use, and count its pictures.

    Args:
        path: is created; ends in one of the suffixes of video files.

    Raises:
        SinkError: it cannot be written, or does not hold what was written.
    """
    info = SourceInfo("trial", _WIDTH, _HEIGHT, rate=Fraction(_RATE), time_base=Fraction(1, _RATE))
    with VideoFile(path, info, SinkSettings()) as sink:
        for seq in range(_FRAMES):
            image = np.full((_HEIGHT, _WIDTH, 3), 80 * seq, np.uint8)
            sink.write(Frame(image, seq * 1_000_000_000 // _RATE, seq, 0))
    with av.open(str(path)) as container:
        count = sum(1 for _ in container.decode(video=0))
    if count != _FRAMES:
        raise SinkError(f"{path.suffix}: {_FRAMES} pictures written, {count} read back")


def try_encoder(name: str) -> str:
    """Open an encoder and give it one picture, or one piece of silence.

    Returns:
        Why it does not work, empty if it does.
    """
    try:
        context = av.CodecContext.create(name, "w")
        if isinstance(context, av.AudioCodecContext):
            _silence(context)
        elif isinstance(context, av.VideoCodecContext):
            _picture(context)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        return words(error)
    return ""


def try_virtual_camera(path: str) -> str:
    """Open a virtual camera of Linux as a run would, write no picture, and give it back.

    Args:
        path: of the device.

    Returns:
        Why a run could not write to it, empty if it could.
    """
    try:
        V4L2Output(path, (_WIDTH, _HEIGHT)).close()
    except SinkError as error:
        return str(error)
    return ""


def _picture(context: av.VideoCodecContext) -> None:
    context.width, context.height, context.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
    context.time_base = Fraction(1, _RATE)
    context.framerate = Fraction(_RATE)
    frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
    frame.pts = 0
    context.encode(frame)
    context.encode(None)


def _silence(context: av.AudioCodecContext) -> None:
    context.sample_rate, context.layout, context.format = 48_000, "stereo", "fltp"
    context.open()
    frame = av.AudioFrame.from_ndarray(
        np.zeros((2, context.frame_size or 1024), np.float32), format="fltp", layout="stereo"
    )
    frame.sample_rate, frame.pts = 48_000, 0
    context.encode(frame)
    context.encode(None)
