"""The screen of the measurement: decodes a stream and notes when each stamp was seen.

`python -m benchmarks.latency.reader URL FILE` writes a line for each picture: the monotonic
nanoseconds when it had been decoded, and its stamp, or -1.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import av
import numpy as np

from benchmarks.latency.child import end_with_parent
from stream import stamp

OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}
_PATIENCE_S = 20.0


def main(url: str, file: Path) -> None:
    end_with_parent()
    with file.open("w", encoding="ascii", buffering=1) as seen, _opened(url) as source:
        video = source.streams.video[0]
        # Frame threads would hold a picture back until the next ones come.
        video.codec_context.thread_type = "NONE"
        for frame in source.decode(video):
            now_ns = time.monotonic_ns()
            plane = frame.planes[0]
            luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            gray = np.broadcast_to(luma[:, : frame.width, None], (frame.height, frame.width, 3))
            time_ms = stamp.read(gray)
            seen.write(f"{now_ns} {-1 if time_ms is None else time_ms}\n")


def _opened(url: str) -> av.container.InputContainer:
    """The stream, as soon as somebody publishes it."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return av.open(url, options=OPTIONS, timeout=(_PATIENCE_S, 5.0))
        except (av.error.FFmpegError, OSError):
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
