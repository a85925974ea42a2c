"""Checks of the file that a sink is about to write."""

from __future__ import annotations

import os
from pathlib import Path

from stream.errors import SinkError
from stream.frame import SourceInfo


def check_target(path: Path, info: SourceInfo) -> None:
    """Makes sure that a file can be made or replaced without doing harm.

    Raises:
        SinkError: it is the source itself, a folder, or in a folder that does not exist or
            may not be written.
    """
    folder = path.parent
    if not folder.is_dir():
        raise SinkError(f"{path}: the folder {folder} does not exist; make it first")
    if path.is_dir():
        raise SinkError(f"{path}: is a folder; name a file")
    if is_source(path, info):
        raise SinkError(f"{path}: this is the source itself; choose another name")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SinkError(f"{path}: no permission to write here; choose another folder")


def is_source(path: Path, info: SourceInfo) -> bool:
    """Whether a path leads to the file or folder that is being read, links included."""
    if "://" in info.url:
        return False
    source = Path(info.url)
    return path.exists() and source.exists() and path.samefile(source)
