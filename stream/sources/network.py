"""Streams and files from a server."""

from __future__ import annotations

import time
from functools import partial

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from stream.sources.container import ContainerSource
from stream.sources.failures import open_failure
from stream.sources.settings import SourceSettings

SCHEMES = frozenset({"http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp"})
"""What `network_source` opens, as far as the FFmpeg inside PyAV can speak it."""

_MAYBE_FILE = frozenset({"http", "https"})
_RTSP = frozenset({"rtsp", "rtsps"})
_RTMP = frozenset({"rtmp", "rtmps"})
_SERVERS = _MAYBE_FILE | _RTSP | _RTMP
"""They serve whoever comes, again and again; others may send to the first one only."""


def network_source(url: str, settings: SourceSettings) -> ContainerSource:
    """A stream, live unless it comes by HTTP and tells how long it is.

    Args:
        url: scheme is one of `SCHEMES`; may hold user and password.
        settings: timeouts, decoder, threads; start only for files.
    """
    scheme = url.partition("://")[0].lower()
    live = None if scheme in _MAYBE_FILE else True
    connect = partial(_open, url, scheme, settings)
    return ContainerSource(url, settings, connect, live=live, reopens=scheme in _SERVERS)


def _open(
    url: str, scheme: str, settings: SourceSettings, accelerator: HWAccel | None
) -> InputContainer:
    began_s = time.monotonic()
    timeouts_s = (settings.open_timeout_s, settings.read_timeout_s)
    try:
        options = _low_delay(scheme, settings)
        return av.open(url, options=options, timeout=timeouts_s, hwaccel=accelerator)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        waited_s = time.monotonic() - began_s
        # Not chained: FFmpeg's own error repeats the URL with its password.
        raise open_failure(url, error, waited_s, settings.open_timeout_s) from None


def _low_delay(scheme: str, settings: SourceSettings) -> dict[str, str]:
    """FFmpeg's options for the first picture soon and the shortest delay.

    `fflags=nobuffer` is not among them: it throws away what was read to examine the stream,
    with the key frame in it, and the first picture waits for the next one. The reader skips
    what piled up meanwhile.
    """
    if scheme in _MAYBE_FILE:
        # The newest segment of a live playlist, not the third from its end.
        return {"live_start_index": "-1"}
    options = {"flags": "low_delay"}
    if scheme in _RTSP:
        options["rtsp_transport"] = settings.rtsp_transport
        # Otherwise FFmpeg reads on for a second to be sure of the rate.
        options["fpsprobesize"] = "0"
        if settings.rtsp_transport == "udp":
            # Packets out of order are waited for; half a second, which is usual, is a stall.
            options |= {"max_delay": "100000", "buffer_size": "1048576"}
    if scheme in _RTMP:
        # FLV does not say which streams follow: FFmpeg waits 6 s for sound that never comes.
        options |= {"analyzeduration": "100000", "probesize": "50000"}
    if scheme == "udp":
        options |= {"buffer_size": "1048576", "overrun_nonfatal": "1"}
    return options
