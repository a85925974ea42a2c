"""System libraries that the OpenCV and MediaPipe wheels load but do not bring along."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import EngineError

_PACKAGES = {
    "libGL.so.1": "libgl1",
    # libgl1 depends on the X client libraries.
    "libxcb.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
}
"""What the wheels need on Linux: library to the Debian package that has it."""


@contextmanager
def loading_native_code() -> Iterator[None]:
    """Say which packages to install when an import inside the block misses a library.

    Meant for the program's first import of `cv2` and everything that needs it.

    Raises:
        EngineError: a shared library could not be loaded; the message is one line with
            all missing packages, not only the first one that the loader met.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        message = explain(error)
        if message is None:
            raise
        raise EngineError(message) from error


def explain(error: BaseException) -> str | None:
    """One line saying what to install, or None if no shared library is to blame."""
    library, separator, _ = str(error).partition(": cannot open shared object file")
    if not separator:
        return None
    packages = sorted(set(missing().values()))
    if packages:
        advice = f"on Debian or Ubuntu: apt-get install -y {' '.join(packages)}"
    else:
        advice = f"install the system package that has {library}"
    return f"system library {library} is missing, which OpenCV and MediaPipe need; {advice}"


def missing() -> dict[str, str]:
    """Libraries that the wheels need and that cannot be loaded, with their Debian package.

    Empty on systems other than Linux, where the wheels bring along what they need.
    """
    if sys.platform != "linux":
        return {}
    return {name: package for name, package in _PACKAGES.items() if not _loads(name)}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
