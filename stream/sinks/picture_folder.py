"""Every frame as a picture in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.marking import xmp
from stream.sinks.pictures import SUFFIXES, check_suffix, save
from stream.sinks.settings import SinkSettings
from stream.sinks.target import is_source

_NUMBERED = "%06d.png"
_MAKER = "facestream"  # In the XMP packet of every picture from here, whatever else that says.
_SAMPLES = 8


class FolderSink:
    """Writes every frame as a picture under its source's name, or else by its capture index."""

    leaky = False

    def __init__(self, path: Path, info: SourceInfo, settings: SinkSettings) -> None:
        """Keeps what is needed to open; does no I/O.

        Args:
            path: a folder, new, empty or with pictures from an earlier run: `a.jpg` becomes
                `a.jpg` there, a frame without a name `000000.png` and so on. Or a pattern such
                as `out/frame_%04d.jpg`, by which all are numbered, whatever else is there.
            info: to keep from writing among the source's own pictures.
            settings: picture quality.

        Raises:
            SinkError: the pattern is no pattern, or names no known kind of picture.
        """
        self._named = "%" not in path.name
        self._pattern = path / _NUMBERED if self._named else path
        self._info = info
        self._settings = settings
        self._sources: dict[str, str] = {}
        try:
            names_differ = self._pattern.name % 0 != self._pattern.name % 1
        except (TypeError, ValueError):
            names_differ = False
        if not names_differ:
            raise SinkError(
                f"{path}: not a pattern for numbered names; expected one such as frame_%06d.png"
            )
        check_suffix(self._pattern)

    def __enter__(self) -> Self:
        folder = self._pattern.parent
        if is_source(folder, self._info):
            raise SinkError(f"{folder}: this is the source itself; choose another folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder}: cannot be made: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise SinkError(f"{folder}: no permission to write here; choose another folder")
        if self._named and (stranger := _stranger(folder)):
            raise SinkError(
                f"{folder}/: {stranger} is there, which is no picture from an earlier run; choose "
                f"a new folder, or a pattern such as {folder}/swapped_%06d.png to write beside it"
            )
        return self

    def write(self, frame: Frame) -> None:
        """Writes one picture.

        Raises:
            SinkError: the disk is full or the folder has gone.
        """
        if self._named and frame.name:
            name = self._free_name(frame.name)
        else:
            name = self._pattern.name % frame.seq
        save(self._pattern.with_name(name), frame.image, self._settings.image_quality)

    def __exit__(self, *_: object) -> None:
        """Nothing is open between two pictures."""

    def _free_name(self, source: str) -> str:
        # A kind that cannot be written becomes PNG; a.bmp leaves a.png to another's a.png.
        own = Path(source)
        name = source if own.suffix.lower() in SUFFIXES else f"{own.stem}.png"
        if name != source and (Path(self._info.url) / name).exists():
            name = f"{source}.png"
        while self._sources.setdefault(name.casefold(), source) != source:
            name = f"{source}.png" if name != f"{source}.png" else f"_{name}"
        return name


def _stranger(folder: Path) -> str:
    """Name of something in a folder that no run has put there, empty if there is nothing.

    Hidden files do not count, and of many pictures only a few are opened.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        for path in paths:
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                return path.name
        for path in paths[:: max(1, len(paths) // _SAMPLES)]:
            if _MAKER not in xmp.read(path.read_bytes()):
                return path.name
    except OSError as error:
        raise SinkError(f"{folder}: cannot be read: {error.strerror}") from error
    return ""
