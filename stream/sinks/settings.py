"""What the user can choose about a sink."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import ConfigError
from stream.sinks.h264 import Encoder

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
"""x264's trades of speed for size, the fastest first."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """How a sink writes.

    Attributes:
        encoder: of video files; `auto` is x264, which makes the most of each bit. NVIDIA's
            spares the processor, and is an error where it does not work.
        crf: x264's constant rate factor, 0 (lossless) to 51; 6 more halve the file. NVIDIA's
            constant quality, 1 to 51, is much the same scale.
        preset: of x264, one of `PRESETS`.
        threads: of the encoder, 0 for its share of the run's, or else x264's choice.
        image_quality: of JPEG and WebP pictures, 1 to 100.
        audio: copy the source's sound into video files.
    """

    encoder: Encoder = "auto"
    crf: int = 18
    preset: str = "veryfast"
    threads: int = 0
    image_quality: int = 95
    audio: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= 51:
            raise ConfigError(f"crf is {self.crf}; expected 0 (lossless) to 51 (smallest)")
        if self.crf == 0 and self.encoder == "h264_nvenc":
            raise ConfigError("crf is 0 (lossless); expected 1 to 51 for h264_nvenc, or libx264")
        if self.preset not in PRESETS:
            raise ConfigError(f"preset is '{self.preset}'; expected one of {', '.join(PRESETS)}")
        if not 1 <= self.image_quality <= 100:
            raise ConfigError(f"image_quality is {self.image_quality}; expected 1 to 100")
        if self.threads < 0:
            raise ConfigError(
                f"threads is {self.threads}; expected 1 or more, or 0 for its share of all"
            )
