"""A clip that flashes and beeps at the start of every second."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

RATE = 44_100
FPS = 25
SIZE = (320, 240)
TONE_HZ = 1000.0
FLASH_S = 0.12


def clip(path: Path, seconds: int, *, sound: bool = True) -> None:
    """Write white flashes with a tone on the left channel; the first one at 1 s.

    Args:
        path: mp4; H.264 and AAC.
        seconds: length.
        sound: without, there is no audio stream.
    """
    with av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=FPS, options={"tune": "zerolatency"})
        assert isinstance(video, VideoStream)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        audio = target.add_stream("aac", rate=RATE) if sound else None
        for second in range(seconds):
            for number in range(FPS):
                frame = _picture(second, number)
                target.mux(video.encode(frame))
            if isinstance(audio, AudioStream):
                target.mux(audio.encode(_sound(second)))
        target.mux(video.encode(None))
        if isinstance(audio, AudioStream):
            target.mux(audio.encode(None))


def onsets(samples: np.ndarray, rate: int) -> list[float]:
    """When beeps begin, in seconds.

    Args:
        samples: (N,) of one channel, full scale 1.
        rate: samples per second.
    """
    loud = np.flatnonzero(np.abs(samples) > 0.1) / rate
    begins = np.flatnonzero(np.diff(loud, prepend=-1.0) > 0.4)
    return [float(loud[at]) for at in begins]


def _picture(second: int, number: int) -> av.VideoFrame:
    bright = second > 0 and number < FLASH_S * FPS
    image = np.full((SIZE[1], SIZE[0], 3), 235 if bright else 16, np.uint8)
    frame = av.VideoFrame.from_ndarray(image, format="bgr24")
    frame.pts, frame.time_base = second * FPS + number, Fraction(1, FPS)
    return frame


def _sound(second: int) -> AudioFrame:
    time_s = np.arange(RATE) / RATE
    left = 0.8 * np.sin(2 * np.pi * TONE_HZ * time_s) * (time_s < FLASH_S) * (second > 0)
    stereo = np.stack([left, np.zeros_like(left)]).astype(np.float32)
    frame = AudioFrame.from_ndarray(stereo, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, second * RATE, Fraction(1, RATE)
    return frame
