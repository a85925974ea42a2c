"""Where frames come from: files, folders, cameras, screens and servers."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path

from stream.errors import SourceError
from stream.sources import network, nvdec, pictures
from stream.sources.camera import OpenCVCamera, v4l2_camera
from stream.sources.file import file_source
from stream.sources.looping import Looping
from stream.sources.reconnecting import Reconnecting
from stream.sources.screen import ScreenSource
from stream.sources.settings import SourceSettings
from stream.sources.source import Source

__all__ = ["Source", "SourceError", "SourceSettings", "open_source"]


def open_source(  # noqa: PLR0911 - one return for each kind
    url: str, settings: SourceSettings
) -> Source:
    """Chooses the source for a URL; nothing is opened before it is entered.

    Args:
        url: `demo`; a camera (`0`, `/dev/video0`); a network URL (`rtsp://` and others);
            `screen`, see `screen.ScreenSource`; a video file, a picture or a folder of pictures.
        settings: how to open it.

    Raises:
        SourceError: a URL scheme that no source reads, or NVDEC for what needs no decoder.
    """
    if settings.loop:
        # Only what ends can begin again; `Looping` says so when it opens the rest.
        endless = replace(settings, loop=False)
        return Looping(partial(open_source, url, endless))
    if url == "demo":
        return file_source(_demo(), settings)
    if url.isdecimal():
        if sys.platform == "linux":
            return Reconnecting(partial(v4l2_camera, f"/dev/video{url}", settings), settings)
        nvdec.check_unwanted(f"camera {url}", settings.decoder)
        return Reconnecting(partial(OpenCVCamera, int(url), settings), settings)
    if url.startswith(("/dev/video", "/dev/v4l/")):
        return Reconnecting(partial(v4l2_camera, url, settings), settings)
    if url.partition(":")[0] == "screen":
        nvdec.check_unwanted(url, settings.decoder)
        return Reconnecting(partial(ScreenSource, url, settings), settings)
    scheme, separator, _ = url.partition("://")
    if separator:
        if scheme.lower() in network.SCHEMES:
            return Reconnecting(partial(network.network_source, url, settings), settings)
        known = ", ".join(sorted(network.SCHEMES))
        raise SourceError(f"{scheme}://: unknown kind of source; expected one of {known}")
    path = Path(url)
    if path.is_dir() or path.suffix.lower() in pictures.SUFFIXES:
        nvdec.check_unwanted(url, settings.decoder)
        return pictures.PictureSource(path, settings)
    return file_source(path, settings)


def _demo() -> Path:
    return Path(str(resources.files("stream") / "bundled" / "demo.mp4"))
