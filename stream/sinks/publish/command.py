"""The ffmpeg command, where PyAV's own FFmpeg lacks a protocol."""

from __future__ import annotations

import shutil
import subprocess

from stream.errors import SinkError
from stream.sinks.publish.target import Target

_PROTOCOL = "srt"
_TIMEOUT_S = 20.0
_ADVICE = (
    "install one that does (Debian: apt-get install ffmpeg, macOS: brew install ffmpeg), or "
    "name it with --set publish.ffmpeg=PATH"
)


def check_command(ffmpeg: str, target: Target) -> None:
    """Makes sure that there is an ffmpeg command that speaks SRT.

    Args:
        ffmpeg: name or path.
        target: for messages.

    Raises:
        SinkError: there is none, or it was built without SRT.
    """
    if shutil.which(ffmpeg) is None:
        raise SinkError(
            f"{target.name}: SRT needs the ffmpeg command, and there is no {ffmpeg!r}; {_ADVICE}"
        )
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own choice
            [ffmpeg, "-hide_banner", "-protocols"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SinkError(f"{target.name}: {ffmpeg} cannot be run ({error}); {_ADVICE}") from error
    if _PROTOCOL not in answer.stdout.decode(errors="replace").split():
        raise SinkError(f"{target.name}: {ffmpeg} does not speak SRT; {_ADVICE}")
