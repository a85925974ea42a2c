"""Which outputs a run has: by default, without harm to each other, and opened together."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from stream.errors import ConfigError
from stream.sinks import pictures, video
from stream.sources import pictures as still_pictures
from stream.sources.failures import without_credentials

BROWSER = "browser"
"""The source whose pictures a browser sends."""

WEB = "web"
"""The sink that shows pictures in browsers."""

PUBLISH = "publish"
"""Name of the sink that serves all receivers on the network."""

SIDE_BY_SIDE = "side-by-side:"
STAGES = ("detect", "swap", "blend", "gate")


def default_outputs(source: str) -> tuple[str, ...]:
    """Where the result goes when nobody says.

    Raises:
        ConfigError: a camera or a server: there is no natural name for a file.
    """
    if source == "demo":
        return ("demo_swapped.mp4", "side-by-side:demo_side_by_side.png")
    if source == BROWSER:
        return (WEB,)
    path = Path(source)
    if path.is_dir():
        return (f"{path.resolve().name}_swapped/",)
    if path.suffix.lower() in still_pictures.SUFFIXES:
        suffix = path.suffix if path.suffix.lower() in pictures.SUFFIXES else ".png"
        return (f"{path.stem}_swapped{suffix}",)
    if "://" in source:
        raise ConfigError(_nameless(source))
    if source.isdecimal() or source.startswith("/dev/"):
        raise ConfigError(
            f"source {source}: a camera has no name to call the output after; "
            "add --out FILE.mp4, or --out null to measure"
        )
    suffix = path.suffix if path.suffix.lower() in video.SUFFIXES else ".mp4"
    return (f"{path.stem}_swapped{suffix}",)


def _nameless(url: str) -> str:
    said, name = f"source {without_credentials(url)}: ", Path(urlsplit(url).path)
    if url.lower().startswith("http") and name.suffix:
        suffix = name.suffix if name.suffix.lower() in video.SUFFIXES else ".mp4"
        return (
            f"{said}comes from a server, so say where its result goes; "
            f"add --out {name.stem}_swapped{suffix}, or --out null to measure"
        )
    return (
        f"{said}a stream has no name to call the output after; "
        "add --out FILE.mp4, or --out null to measure"
    )


def file_of(url: str) -> Path | None:
    """The file that an output writes, or the folder of its pictures; None if it is no such output.

    Playlists with their segments count as a broadcast, not as a file.
    """
    if "://" in url or url in {"null", WEB} or url.startswith("virtual-camera"):
        return None
    path = Path(url.removeprefix(SIDE_BY_SIDE))
    if path.suffix.lower() == ".m3u8":
        return None
    return path.parent if "%" in path.name else path


def check_outputs(out: tuple[str, ...]) -> None:
    """Make sure that outputs keep out of each other's way.

    Raises:
        ConfigError: two of them write the same file, one has no name or that of a part.
    """
    targets = set()
    for url in out:
        if url in {"capture", *STAGES, PUBLISH}:
            raise ConfigError(f"--out {url} is the name of a part; write {url}/ for a folder")
        name = url.removeprefix(SIDE_BY_SIDE)
        if not name:
            raise ConfigError("--out is empty; expected a file, a folder or null")
        target = Path(name).resolve()
        if target in targets:
            raise ConfigError(f"--out {url} is given twice; each output needs its own name")
        targets.add(target)
