"""Streams and files from a server."""

from __future__ import annotations

import time
from functools import partial

import av
from av.container import InputContainer

from stream.sources.container import ContainerSource
from stream.sources.failures import open_failure
from stream.sources.settings import SourceSettings

SCHEMES = frozenset({"http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp"})
"""What `network_source` opens, as far as the FFmpeg inside PyAV can speak it."""

_MAYBE_FILE = frozenset({"http", "https"})
_RTSP = frozenset({"rtsp", "rtsps"})
_RTMP = frozenset({"rtmp", "rtmps"})


def network_source(url: str, settings: SourceSettings) -> ContainerSource:
    """A stream, live unless it comes by HTTP and tells how long it is.

    Args:
        url: scheme is one of `SCHEMES`; may hold user and password.
        settings: timeouts, threads; start only for files.
    """
    scheme = url.partition("://")[0].lower()
    live = None if scheme in _MAYBE_FILE else True
    return ContainerSource(url, settings, partial(_open, url, scheme, settings), live=live)


def _open(url: str, scheme: str, settings: SourceSettings) -> InputContainer:
    began_s = time.monotonic()
    timeouts_s = (settings.open_timeout_s, settings.read_timeout_s)
    try:
        return av.open(url, options=_low_delay(scheme), timeout=timeouts_s)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        waited_s = time.monotonic() - began_s
        # Not chained: FFmpeg's own error repeats the URL with its password.
        raise open_failure(url, error, waited_s, settings.open_timeout_s) from None


def _low_delay(scheme: str) -> dict[str, str]:
    if scheme in _MAYBE_FILE:
        return {}
    options = {"fflags": "nobuffer", "flags": "low_delay"}
    if scheme in _RTSP:
        options["rtsp_transport"] = "tcp"  # UDP loses packets under load; delay is the same.
    if scheme in _RTMP:
        # FLV does not say which streams follow: FFmpeg waits 6 s for sound that never comes.
        options |= {"analyzeduration": "100000", "probesize": "50000"}
    return options
