"""Video files."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from stream.errors import SourceError
from stream.sources.boxes import check_samples
from stream.sources.container import ContainerSource
from stream.sources.failures import open_failure
from stream.sources.settings import SourceSettings


def file_source(path: Path, settings: SourceSettings) -> ContainerSource:
    """A video file of any format that FFmpeg reads.

    Args:
        path: need not exist yet; entering the source opens it.
        settings: start, duration, pace, decoder, threads.
    """
    return ContainerSource(str(path), settings, partial(_open, path), live=False, reopens=True)


def _open(path: Path, accelerator: HWAccel | None = None) -> InputContainer:
    if not path.exists():
        raise SourceError(f"{path}: no such file; check the path")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path}: the file is empty; was it copied completely?")
    if path.is_file():
        check_samples(path)
    began_s = time.monotonic()
    try:
        # Without the prefix FFmpeg takes a name such as `a:b.mp4` for a protocol.
        return av.open(f"file:{path}", hwaccel=accelerator)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        waited_s = time.monotonic() - began_s
        raise open_failure(str(path), error, waited_s, timeout_s=float("inf")) from error


def metadata(path: Path) -> dict[str, str]:
    """What a media file says of itself: title, comment and so on, keys in lower case.

    Raises:
        SourceError: it is no media file, or cannot be read.
    """
    with _open(path) as container:
        return {key.lower(): value for key, value in container.metadata.items()}
