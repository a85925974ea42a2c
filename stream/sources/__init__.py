"""Where frames come from: files, folders, cameras, screens and servers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources import network, pictures
from stream.sources.camera import OpenCVCamera, v4l2_camera
from stream.sources.file import file_source
from stream.sources.reconnecting import Reconnecting
from stream.sources.screen import ScreenSource
from stream.sources.settings import SourceSettings

__all__ = ["Source", "SourceError", "SourceSettings", "open_source"]


class Source(Protocol):
    """Frames in capture order.

    Entering opens the device or file and raises SourceError; from then on `info` is valid.
    It is iterated once, by one thread; the iteration raises SourceError when the source is
    lost or damaged, after every frame that could be had. Leaving closes it, and may only
    happen when no thread iterates any more. A source that waits may have a `stop` method: it
    ends the iteration soon, and is called from any thread or a signal handler.
    """

    info: SourceInfo

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...


def open_source(  # noqa: PLR0911 - one return for each kind
    url: str, settings: SourceSettings
) -> Source:
    """Chooses the source for a URL; nothing is opened before it is entered.

    Args:
        url: `demo`; a camera (`0`, `/dev/video0`); a network URL (`rtsp://` and others);
            `screen`, see `screen.ScreenSource`; a video file, a picture or a folder of pictures.
        settings: how to open it.

    Raises:
        SourceError: a URL scheme that no source reads.
    """
    if url == "demo":
        return file_source(_demo(), settings)
    if url.isdecimal():
        if sys.platform == "linux":
            return Reconnecting(partial(v4l2_camera, f"/dev/video{url}", settings), settings)
        return Reconnecting(partial(OpenCVCamera, int(url), settings), settings)
    if url.startswith(("/dev/video", "/dev/v4l/")):
        return Reconnecting(partial(v4l2_camera, url, settings), settings)
    if url.partition(":")[0] == "screen":
        return Reconnecting(partial(ScreenSource, url, settings), settings)
    scheme, separator, _ = url.partition("://")
    if separator:
        if scheme.lower() in network.SCHEMES:
            return Reconnecting(partial(network.network_source, url, settings), settings)
        known = ", ".join(sorted(network.SCHEMES))
        raise SourceError(f"{scheme}://: unknown kind of source; expected one of {known}")
    path = Path(url)
    if path.is_dir() or path.suffix.lower() in pictures.SUFFIXES:
        return pictures.PictureSource(path, settings)
    return file_source(path, settings)


def _demo() -> Path:
    return Path(str(resources.files("stream") / "bundled" / "demo.mp4"))
