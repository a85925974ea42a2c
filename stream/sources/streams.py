"""Which stream of an input is the video, and how fast it is."""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from engine import MOST_PIXELS
from stream.errors import SourceError
from stream.timebase import fraction

_STEADY = Fraction(1, 100)  # Average and base rate of a constant-rate file agree this well.
_LIVE_RATES = (1, 240)  # What else a header says is a time base, no rate.


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first video stream that is no cover art.

    Args:
        container: open input.
        name: for messages.

    Raises:
        SourceError: there is none, none that can be decoded, or one that is too large.
    """
    # Cover art of a music file is a video stream of one picture.
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        kinds = sorted({str(stream.type) for stream in container.streams}) or ["nothing"]
        raise SourceError(f"{name}: no video in it, only {', '.join(kinds)}")
    video = streams[0]
    if video.codec_context is None:
        raise SourceError(f"{name}: no decoder for its video codec")
    if video.width * video.height > MOST_PIXELS:
        raise SourceError(
            f"{name}: {video.width}x{video.height}; expected 8192x8192 pixels at most, scale it "
            "down first"
        )
    # Pictures may be larger than announced.
    video.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return video


def is_still(container: InputContainer) -> bool:
    """Whether an input is a coded picture, such as a PNG from a server, and no video format."""
    return container.format.name.endswith("_pipe")


def steady_rate(video: VideoStream) -> Fraction | None:
    """Frames per second of a file, None if they vary."""
    if not video.average_rate or not video.base_rate:
        return None
    average, base = fraction(video.average_rate), fraction(video.base_rate)
    return average if abs(average - base) <= base * _STEADY else None


def live_rate(video: VideoStream) -> Fraction | None:
    """Frames per second that a live input announces, None if it announces nothing sensible.

    It is examined for a moment only: good enough for an encoder's plans.
    """
    rate = video.average_rate or video.guessed_rate
    if not rate or not _LIVE_RATES[0] <= rate <= _LIVE_RATES[1]:
        return None
    return fraction(rate)
