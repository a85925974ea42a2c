"""The little that has to be read from, and added to, session descriptions (RFC 8866)."""

from __future__ import annotations

import re

_RTPMAP = re.compile(r"^a=rtpmap:(\d+) ([\w-]+)/", re.MULTILINE)
_VIDEO = re.compile(r"^m=video \d+ \S+ (\d+)", re.MULTILINE)


def first_codec(sdp: str) -> str:
    """The codec that the first video section prefers, such as `video/VP8`; empty if none."""
    video = _VIDEO.search(sdp)
    if video is None:
        return ""
    names = dict(_RTPMAP.findall(sdp[video.start() :]))
    return f"video/{names[video[1]]}" if video[1] in names else ""


def with_bitrate(sdp: str, kbit_s: int) -> str:
    """An answer that keeps Chromium from starting blurred and small.

    Its estimate begins at a fraction of a megabit and takes many seconds to rise, during
    which it sends fewer pixels. Other browsers ignore the parameters.

    Args:
        sdp: the answer.
        kbit_s: least and first rate of each video codec.
    """
    wanted = f"x-google-min-bitrate={kbit_s};x-google-start-bitrate={kbit_s}"
    for payload, name in _RTPMAP.findall(sdp):
        if name not in {"VP8", "H264"}:
            continue
        sdp, changed = re.subn(
            rf"^(a=fmtp:{payload} [^\r\n]*)", rf"\1;{wanted}", sdp, flags=re.MULTILINE
        )
        if not changed:
            sdp = re.sub(
                rf"^(a=rtpmap:{payload} [^\r\n]*)(\r?\n)",
                rf"\1\2a=fmtp:{payload} {wanted}\2",
                sdp,
                flags=re.MULTILINE,
            )
    return sdp
