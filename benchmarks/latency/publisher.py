"""The camera of the measurement: stamps the demo clip and publishes it by RTSP, for ever.

`python -m benchmarks.latency.publisher URL WIDTH HEIGHT RATE`
"""

from __future__ import annotations

import itertools
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.latency.child import end_with_parent
from engine.face import Image
from stream import stamp

CLIP = Path(__file__).parents[2] / "stream" / "bundled" / "demo.mp4"
TICK = Fraction(1, 90_000)
ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}
"""Low delay, cheap; `tune` alone would cut pictures into slices, which relays may lose."""

_PICTURES = 90


def main(url: str, width: int, height: int, rate: int) -> None:
    end_with_parent()
    pictures = _pictures(width, height)
    # There and back again: the head never jumps, so tracking goes on.
    order = itertools.cycle([*range(len(pictures)), *range(len(pictures) - 2, 0, -1)])
    with av.open(url, "w", format="rtsp", options={"rtsp_transport": "tcp"}) as output:
        video = output.add_stream("libx264", rate=rate, options=ENCODER | {"g": str(rate)})
        context = video.codec_context
        context.width, context.height, context.thread_count = width, height, 1
        context.time_base = TICK
        began_s = time.monotonic()
        for number in itertools.count():
            time.sleep(max(began_s + number / rate - time.monotonic(), 0))
            image = pictures[next(order)].copy()
            stamp.paint(image, time.monotonic_ns())
            planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = number * 90_000 // rate, TICK
            output.mux(video.encode(frame))


def _pictures(width: int, height: int) -> list[Image]:
    with av.open(str(CLIP)) as clip:
        decoded = itertools.islice(clip.decode(video=0), _PICTURES)
        return [
            np.asarray(cv2.resize(frame.to_ndarray(format="bgr24"), (width, height)), np.uint8)
            for frame in decoded
        ]


if __name__ == "__main__":
    main(sys.argv[1], *(int(number) for number in sys.argv[2:5]))
