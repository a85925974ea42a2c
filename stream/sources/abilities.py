"""What the installed FFmpeg can read."""

from __future__ import annotations

import av
from av.codec import hwaccel

from stream.sources.network import SCHEMES

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


def hardware() -> list[str]:
    """Kinds of hardware decoding that FFmpeg was built for; nothing says that they work."""
    return list(hwaccel.hwdevices_available())


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
