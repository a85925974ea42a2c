"""What the user can choose about a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.errors import ConfigError

Decoder: TypeAlias = Literal["auto", "cpu", "nvdec"]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How a source is opened.

    Attributes:
        start_s: leave out everything before this time; files and folders only.
        duration_s: end after this time, None for everything.
        paced: deliver a file in real time, as if it were a camera.
        loop: begin a file again when it has ended.
        image_rate_hz: frames per second of an image folder.
        camera_width, camera_height: wanted size in pixels; the driver may choose another.
        camera_rate_hz: wanted frames per second; the driver may choose another.
        camera_format: `mjpeg`, `yuyv422` or another of the camera's FFmpeg pixel or codec
            names; `auto` takes the first that the camera accepts.
        screen_rate_hz: pictures per second of a screen.
        rtsp_transport: `tcp`, or `udp` for servers that speak nothing else: it loses packets
            under load and is no faster.
        open_timeout_s: give up when a server has not answered.
        read_timeout_s: a live source is lost when no picture has come.
        reconnect: look for a lost camera or live stream until it is back.
        retry_first_s: wait before the first attempt to reconnect; doubles with each one.
        retry_max_s: the longest wait between two attempts.
        decoder: `nvdec` for NVIDIA's, or an error; `auto` takes that for large pictures of
            files and servers where it works, and the processor for everything else.
        threads: of the decoder, 0 for its share of the run's, or else FFmpeg's choice.
        audio: carry the source's sound along.
    """

    start_s: float = 0.0
    duration_s: float | None = None
    paced: bool = False
    loop: bool = False
    image_rate_hz: float = 25.0
    camera_width: int = 1280
    camera_height: int = 720
    camera_rate_hz: float = 30.0
    camera_format: str = "auto"
    screen_rate_hz: float = 30.0
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    open_timeout_s: float = 10.0
    read_timeout_s: float = 5.0
    reconnect: bool = True
    retry_first_s: float = 0.1
    retry_max_s: float = 1.0
    decoder: Decoder = "auto"
    threads: int = 0
    audio: bool = True

    def __post_init__(self) -> None:
        if not self.start_s >= 0:
            raise ConfigError(f"start_s is {self.start_s:g}; expected 0 or more seconds")
        for name in (
            "duration_s",
            "image_rate_hz",
            "camera_width",
            "camera_height",
            "camera_rate_hz",
            "screen_rate_hz",
            "open_timeout_s",
            "read_timeout_s",
            "retry_first_s",
            "retry_max_s",
        ):
            value = getattr(self, name)
            if value is not None and not value > 0:  # not a number is refused, too
                raise ConfigError(f"{name} is {value:g}; expected more than 0")
        if self.threads < 0:
            raise ConfigError(
                f"threads is {self.threads}; expected 1 or more, or 0 for its share of all"
            )
