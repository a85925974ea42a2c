"""What the installed FFmpeg can read."""

from __future__ import annotations

from dataclasses import dataclass

import av

from stream.errors import SourceError
from stream.sources import nvdec, open_source
from stream.sources.network import SCHEMES
from stream.sources.settings import SourceSettings

_CODECS = ("h264", "hevc", "vp9", "av1", "mjpeg", "prores")
_ASKED = ("http", "https", "rtmp", "rtmps", "rtsp", "tcp")
_NOBODY = "127.0.0.1:9"
"""Nothing listens on the discard port; an unknown protocol fails before it asks."""


def ffmpeg() -> str:
    """Version of the FFmpeg inside of PyAV, with its codec library's."""
    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"{av.ffmpeg_version_info}, libavcodec {codec}"


def missing_decoders() -> list[str]:
    """Video codecs that are common in files and streams but cannot be decoded."""
    missing = []
    for name in _CODECS:
        try:
            av.codec.Codec(name, "r")
        except (av.error.FFmpegError, ValueError):
            missing.append(name)
    return missing


def missing_protocols() -> list[str]:
    """Schemes of network sources that this FFmpeg was built without."""
    missing = []
    for scheme in _ASKED:
        assert scheme in SCHEMES
        try:
            av.open(f"{scheme}://{_NOBODY}/x", timeout=1.0).close()
        except av.error.ProtocolNotFoundError:
            missing.append(scheme)
        except (av.error.FFmpegError, OSError):
            continue
    return missing


@dataclass(frozen=True, slots=True)
class Nvdec:
    """Decoding on an NVIDIA GPU, tried.

    Attributes:
        device: why there is no CUDA device to decode on, empty if there is one.
        decodes: why H.264 is not decoded on it, empty if it is.
    """

    device: str = ""
    decodes: str = ""


def try_nvdec() -> Nvdec:
    """Decodes a picture of the bundled demo as a run would."""
    if device := nvdec.obstacle():
        return Nvdec(device=device)
    try:
        with open_source("demo", SourceSettings(decoder="nvdec")):
            return Nvdec()
    except SourceError as error:
        return Nvdec(decodes=str(error).partition(": ")[2])


def cameras() -> list[str] | None:
    """Names of cameras by FFmpeg's device layer, or None where it has none.

    For systems other than Linux, which `stream.sources.v4l2` knows better.
    """
    for layer in ("avfoundation", "dshow"):
        try:
            return [device.description for device in av.enumerate_input_devices(layer)]
        except (av.error.FFmpegError, OSError, ValueError):
            continue
    return None
