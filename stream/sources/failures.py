"""What went wrong with an input, in words that say what to do."""

from __future__ import annotations

import errno
import re

import av

from stream.errors import SourceError

_UNREACHED = frozenset(
    # FFmpeg says EIO of a name that nobody knows.
    (errno.EIO, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNRESET)
)
_CREDENTIALS = re.compile(
    r"(?<=://)[^/@\s]*@"
    r"|(?<=:/)[^/@:\s]+:[^/@\s]*@"  # `Path` makes one slash of two
)


def without_credentials(url: str) -> str:
    """The URL without `user:password@`, fit for messages and reports."""
    return _CREDENTIALS.sub("", url)


def open_failure(  # noqa: PLR0911 - one return for each reason
    url: str, error: Exception, waited_s: float, timeout_s: float
) -> SourceError:
    """Names the reason why an input could not be opened.

    Args:
        url: what was to be opened; credentials are left out of the message.
        error: as raised by PyAV.
        waited_s: how long opening took: FFmpeg reports some timeouts as invalid data.
        timeout_s: how long opening was allowed to take.
    """
    name = without_credentials(url)
    network = "://" in url
    if isinstance(error, ConnectionRefusedError):
        return SourceError(
            f"{name}: connection refused; check that the server is running and that host and "
            "port are right"
        )
    if network and (
        isinstance(error, (TimeoutError, av.error.ExitError)) or waited_s >= 0.9 * timeout_s
    ):
        return SourceError(
            f"{name}: no answer within {timeout_s:g} s; check the server, or allow more time"
        )
    if isinstance(error, av.error.HTTPNotFoundError):
        return SourceError(f"{name}: the server has no such stream (404); check the path")
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return SourceError(f"{name}: the server refused access; put user:password@ before the host")
    if isinstance(error, av.error.ProtocolNotFoundError):
        scheme = url.partition(":")[0]
        return SourceError(
            f"{name}: PyAV's FFmpeg cannot speak {scheme}; relay it as rtsp://, rtmp://, "
            "http:// or udp://, for example with the ffmpeg command"
        )
    if network and (said := _network_failure(url, error)):
        return SourceError(f"{name}: {said}")
    if isinstance(error, av.error.InvalidDataError):
        return SourceError(
            f"{name}: not a video that FFmpeg can read: damaged, cut short before its index, "
            "or another kind of file"
        )
    return SourceError(f"{name}: cannot be opened: {reason(error)}")


def _network_failure(url: str, error: Exception) -> str | None:
    scheme = url.partition("://")[0].lower()
    if isinstance(error, av.error.EOFError):
        return (
            "the connection was closed before any video came; check host, port and path, and "
            "whether a firewall or proxy is in between"
        )
    if isinstance(error, av.error.InvalidDataError):
        if scheme.startswith("http"):
            return (
                "the server sent no video that FFmpeg can read, a web page perhaps, or only a "
                "part of one; check the path"
            )
        return (
            f"no {scheme} stream came from there; check the network, that host and port are a "
            f"{scheme} server's, and the path"
        )
    if isinstance(error, OSError) and error.errno in _UNREACHED:
        return (
            f"the host cannot be reached ({reason(error)}); check its name, the network, and "
            "whether a firewall or proxy is in between"
        )
    return None


def reason(error: Exception) -> str:
    """The error's own words without the URL that FFmpeg adds to them."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return without_credentials(str(words))
