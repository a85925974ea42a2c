"""What a receiver's URL means: container, options, and which sound it can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from stream.errors import SinkError
from stream.sources.failures import without_credentials

SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "tcp"})
"""Of URLs that lead to receivers; udp and tcp carry MPEG-TS."""

PLAYLIST = ".m3u8"
"""Suffix of an HLS playlist, whose segments are put beside it."""

_UDP_PAYLOAD = "pkt_size=1316"  # Seven transport packets: the most that fit into a datagram.
_KEY_LENGTH = 16  # Stream keys of RTMP services are longer than names that people choose.
_HLS_SEGMENTS = 6
_INTERLEAVE_US = 100_000


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to send.

    Attributes:
        url: complete, with credentials; never shown.
        name: what people know it by.
        container: FFmpeg's name of the format.
        options: of the container and its protocol.
        sound: codecs, by FFmpeg's names, that are passed on as they are.
        bare_aac: AAC must come without ADTS headers.
        waits: it listens for its receiver, however long that takes.
        command: the ffmpeg command has to speak the protocol.
        file: path of a playlist on this machine, else empty.
    """

    url: str
    name: str
    container: str
    options: Mapping[str, str]
    sound: frozenset[str]
    bare_aac: bool = False
    waits: bool = False
    command: bool = False
    file: str = ""

    def relay(self, ffmpeg: str) -> list[str]:
        """The command that sends the container for us; empty if none is needed.

        Args:
            ffmpeg: name or path of the command.
        """
        if not self.command:
            return []
        return [ffmpeg, *_RELAY_INPUT, "-c", "copy", *_RELAY_OUTPUT, self.url]


# It begins as soon as it has seen a picture, says when its output is open, and holds nothing back.
_RELAY_INPUT = (
    *("-hide_banner", "-nostats", "-loglevel", "info"),
    *("-fflags", "nobuffer", "-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"),
    *("-f", "nut", "-i", "pipe:0"),
)
_RELAY_OUTPUT = ("-flush_packets", "1", "-muxdelay", "0", "-f", "mpegts")

_TS_SOUND = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus"})
_FLV_SOUND = frozenset({"aac", "mp3"})
_RTP_SOUND = frozenset({"aac", "mp3", "opus", "pcm_alaw", "pcm_mulaw"})
_HLS_SOUND = frozenset({"aac", "mp3", "ac3"})

# Without sound for a while, pictures would wait for it ten seconds long.
_ALWAYS = MappingProxyType({"flush_packets": "1", "max_interleave_delta": str(_INTERLEAVE_US)})


def is_receiver(url: str) -> bool:
    """Whether a URL leads to a receiver that `Publisher` serves."""
    scheme, separator, _ = url.partition("://")
    if separator:
        return scheme.lower() in SCHEMES
    return url.lower().endswith(PLAYLIST)


def shown(url: str) -> str:
    """A receiver's URL without what only its owner may know.

    Left out are user and password, the query (passphrases, stream ids), and most of the key
    that RTMP services want as the last part of the path.
    """
    if "://" not in url:
        return url
    plain = without_credentials(url).partition("?")[0]
    base, slash, last = plain.rpartition("/")
    if plain.lower().startswith("rtmp") and len(last) >= _KEY_LENGTH:
        return f"{base}{slash}{last[:4]}..."
    return plain


def target_of(url: str, *, stall_s: float, keyframe_s: float) -> Target:
    """Reads a URL.

    Args:
        url: as `is_receiver` accepts it.
        stall_s: bound of an RTSP server's answers.
        keyframe_s: length of HLS segments.

    Raises:
        SinkError: no host, no port where there is no usual one, or no stream name.
    """
    name = shown(url)
    if "://" not in url:
        return _playlist(url, keyframe_s)
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise SinkError(f"{name}: not a URL: {error}") from error
    if not host:
        raise SinkError(f"{name}: no host in it; expected {scheme}://HOST...")
    if scheme in {"udp", "tcp", "srt"} and port is None:
        raise SinkError(f"{name}: no port in it; expected {scheme}://HOST:PORT")
    if scheme in {"rtmp", "rtmps"} and not parts.path.strip("/"):
        raise SinkError(f"{name}: no stream in it; expected {scheme}://HOST/APPLICATION/NAME")
    if scheme in {"rtsp", "rtsps"}:
        transport = {"rtsp_transport": "tcp", "timeout": str(round(stall_s * 1e6))}
        return Target(url, name, "rtsp", _ALWAYS | transport, _RTP_SOUND, bare_aac=True)
    if scheme in {"rtmp", "rtmps"}:
        flags = {"flvflags": "no_duration_filesize"}
        return Target(url, name, "flv", _ALWAYS | flags, _FLV_SOUND, bare_aac=True)
    if scheme == "srt":
        waits = "mode=listener" in parts.query
        return Target(url, name, "nut", _ALWAYS, _TS_SOUND, waits=waits, command=True)
    waits = scheme == "tcp" and "listen=1" in parts.query
    if scheme == "udp" and "pkt_size=" not in parts.query:
        url += ("&" if parts.query else "?") + _UDP_PAYLOAD
    return Target(url, name, "mpegts", _ALWAYS, _TS_SOUND, waits=waits)


def _playlist(path: str, keyframe_s: float) -> Target:
    options = {
        "hls_time": f"{keyframe_s:g}",
        "hls_list_size": str(_HLS_SEGMENTS),
        "hls_flags": "delete_segments+independent_segments+program_date_time",
    }
    url = f"file:{Path(path).absolute()}"
    return Target(url, path, "hls", _ALWAYS | options, _HLS_SOUND, file=path)
