"""The page's files, read once: a browser names one of them, never a path."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

INDEX = "index.html"

_TYPES = {
    # The system's own table may be wrong (the Windows registry often is).
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file.

    Attributes:
        content: all of it.
        media_type: for `Content-Type`.
        tag: for `ETag`; changes with the content.
    """

    content: bytes
    media_type: str
    tag: str


def page_files() -> Mapping[str, PageFile]:
    """The panel's files by name."""
    folder = resources.files("stream.web") / "page"
    return {
        entry.name: _page_file(entry.name, entry.read_bytes())
        for entry in folder.iterdir()
        if entry.is_file() and not entry.name.startswith(".")
    }


def _page_file(name: str, content: bytes) -> PageFile:
    suffix = "." + name.rpartition(".")[2]
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return PageFile(content, _TYPES.get(suffix, guessed), tag)
