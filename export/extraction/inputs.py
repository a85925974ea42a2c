"""What the user named as sources, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.errors import InputError
from stream.sources.failures import without_credentials
from stream.sources.pictures import SUFFIXES, natural


@dataclass(frozen=True, slots=True)
class Input:
    """One clip, picture or camera.

    Attributes:
        url: what `stream.sources.open_source` takes; absolute if it is a file.
        stem: short name.
        still: it is a single picture.
        live: it cannot be read again.
        stamp: size in bytes and time of modification in ns, zeros if it is no file.
    """

    url: str
    stem: str
    still: bool
    live: bool
    stamp: tuple[int, int]

    @property
    def name(self) -> str:
        """For messages and files: the URL without credentials."""
        return without_credentials(self.url)


def list_inputs(sources: Sequence[str], out: Path) -> list[Input]:
    """Resolve what was named; a folder becomes its pictures, in natural order.

    Args:
        sources: video files, pictures, folders of pictures, `demo`, cameras (`0`), URLs.
        out: folder for the crops, which must not be read as a source.

    Raises:
        InputError: a source does not exist, is an empty folder, or holds `out`.
    """
    inputs: dict[str, Input] = {}
    for source in sources:
        for each in _resolve(source, out.resolve()):
            inputs.setdefault(each.url, each)
    return list(inputs.values())


def _resolve(source: str, out: Path) -> list[Input]:
    if source == "demo":
        return [Input(source, source, still=False, live=False, stamp=(0, 0))]
    if source.isdecimal() or source.startswith("/dev/video"):
        stem = f"camera{source.removeprefix('/dev/video')}"
        return [Input(source, stem, still=False, live=True, stamp=(0, 0))]
    if "://" in source:
        return [Input(source, "stream", still=False, live=True, stamp=(0, 0))]
    path = Path(source)
    if not path.exists():
        raise InputError(f"{source}: no such file or folder; check the path")
    path = path.resolve()
    pictures = path if path.is_dir() else path.parent
    if path.is_dir() and out.is_relative_to(path):
        raise InputError(
            f"{out} lies in the source {source}: the crops would be taken for pictures of it; "
            "choose a folder elsewhere"
        )
    if path.suffix.lower() in SUFFIXES | {""} and pictures.is_relative_to(out):
        raise InputError(f"{source} lies in {out}, where the crops go; choose another folder")
    if not path.is_dir():
        return [_file(path)]
    try:
        files = sorted(filter(_is_picture, path.iterdir()), key=natural)
    except OSError as error:
        raise InputError(f"{source}: cannot be listed: {error.strerror}") from error
    if not files:
        kinds = ", ".join(sorted(SUFFIXES))
        raise InputError(f"{source}: no pictures in this folder; expected {kinds}")
    return [_file(file) for file in files]


def _file(path: Path) -> Input:
    status = path.stat()
    return Input(
        str(path),
        path.stem,
        still=path.suffix.lower() in SUFFIXES,
        live=False,
        stamp=(status.st_size, status.st_mtime_ns),
    )


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
