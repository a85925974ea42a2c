"""What the user can choose about a sink."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """How a sink writes.

    Attributes:
        crf: x264's constant rate factor, 0 (lossless) to 51; 6 more halve the file.
        preset: x264's name of a trade of speed for size, `ultrafast` to `veryslow`.
        threads: encoder threads.
        image_quality: of JPEG and WebP pictures, 1 to 100.
        audio: copy the source's sound into video files.
    """

    crf: int = 18
    preset: str = "veryfast"
    threads: int = 2
    image_quality: int = 95
    audio: bool = True
