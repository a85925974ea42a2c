"""What the user can choose about publishing."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import ConfigError
from stream.sinks.encoder import EncoderSettings


@dataclass(frozen=True, slots=True)
class PublishSettings(EncoderSettings):
    """How pictures and sound get to receivers on the network.

    Attributes:
        audio: send the source's sound along.
        audio_kbps: of sound that has to be encoded anew, because a receiver's protocol cannot
            carry the source's codec.
        queue_s: a receiver that is behind by more than this loses everything up to the next
            key frame.
        stall_s: a receiver that takes nothing for so long is given up and connected anew.
        retry_max_s: longest pause between two attempts to connect.
        ffmpeg: the command that speaks SRT, which PyAV's FFmpeg does not; a name or a path.
    """

    audio: bool = True
    audio_kbps: int = 128
    queue_s: float = 2.0
    stall_s: float = 5.0
    retry_max_s: float = 10.0
    ffmpeg: str = "ffmpeg"

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)  # super() loses its way in a class with slots
        for name in ("audio_kbps", "queue_s", "stall_s", "retry_max_s"):
            value = getattr(self, name)
            if not value > 0:  # not a number is refused, too
                raise ConfigError(f"{name} is {value:g}; expected more than 0")
        if not self.ffmpeg:
            raise ConfigError("ffmpeg is empty; expected a command, such as ffmpeg")
