"""Where frames go: video files, pictures, virtual cameras, receivers, nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.sinks import pictures, video
from stream.sinks.null import NullSink
from stream.sinks.picture_folder import FolderSink
from stream.sinks.pictures import StillSink
from stream.sinks.publish import SCHEMES, shown
from stream.sinks.settings import SinkSettings
from stream.sinks.side_by_side import SideBySide, beside, widened
from stream.sinks.video import VideoFile
from stream.sinks.virtual_camera import SCHEME as VIRTUAL_CAMERA
from stream.sinks.virtual_camera import virtual_camera

__all__ = ["Sink", "SinkSettings", "open_sink"]

_SIDE_BY_SIDE = "side-by-side:"


class Sink(Protocol):
    """Takes frames in capture order, from one thread.

    Entering opens and raises SinkError; leaving finishes the output, after an error too, so
    that what was written so far can be used.

    Attributes:
        leaky: a late frame is worthless here, so the link to this sink may drop the oldest.
    """

    leaky: bool

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def write(self, frame: Frame) -> None:
        """Takes one frame without changing it; raises SinkError."""


def open_sink(  # noqa: PLR0911 - one return for each kind
    url: str, info: SourceInfo, settings: SinkSettings
) -> Sink:
    """Chooses the sink for a URL; nothing is opened before it is entered.

    Args:
        url: `null`; a video file; a folder (`out/`, with the slash) or pattern
            (`out/%06d.jpg`) for all frames; a picture for the best one; `side-by-side:` before a
            video or picture; `virtual-camera`, or `virtual-camera:` and a device.
        info: of the source, once that is open.
        settings: how to write.

    Receivers on the network share one sink, `stream.sinks.publish.Publisher`.

    Raises:
        SinkError: an unknown kind of file.
    """
    if "://" in url:
        known = ", ".join(f"{scheme}://" for scheme in sorted(SCHEMES))
        raise SinkError(f"{shown(url)}: unknown kind of receiver; expected one of {known}")
    target = url.removeprefix(_SIDE_BY_SIDE)
    joined = target != url
    path = Path(target)
    suffix = path.suffix.lower()
    if url == "null":
        return NullSink()
    if url.partition(":")[0] == VIRTUAL_CAMERA:
        return virtual_camera(url, info)
    if suffix in video.SUFFIXES:
        if joined:
            return SideBySide(VideoFile(path, widened(info), settings))
        return VideoFile(path, info, settings)
    if suffix in pictures.SUFFIXES and "%" not in path.name:
        if joined:
            return StillSink(path, info, settings, compose=beside)
        return StillSink(path, info, settings)
    if not joined and (target.endswith(("/", os.sep)) or "%" in path.name):
        return FolderSink(path, info, settings)
    if not joined and path.is_dir():
        raise SinkError(f"{url}: is a folder; write {url}/ to put pictures into it")
    what = f"unknown kind of output '{path.suffix}'" if suffix else "a name without an ending"
    networks = " ".join(f"{scheme}://" for scheme in sorted(SCHEMES))
    raise SinkError(
        f"{url}: {what}; expected a video ({', '.join(video.SUFFIXES)}), a picture "
        f"({', '.join(pictures.SUFFIXES)}), {_SIDE_BY_SIDE} before one of them, a folder ending in "
        f"'/', a playlist (.m3u8), {networks}, virtual-camera, web, or null"
    )
