"""TensorRT: whether it is installed, and where its engines are kept."""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.assets import cache_dir
from engine.execution.devices import Runtime

_LIBRARIES: Final = ("libnvinfer.so.10", "libnvinfer_plugin.so.10", "libnvonnxparser.so.10")
_DLLS: Final = ("nvinfer_10.dll", "nvinfer_plugin_10.dll", "nvonnxparser_10.dll")


def load_tensorrt() -> int | None:
    """Load TensorRT's libraries, from the loader's path or from its Python package.

    Returns:
        Its version as one number, such as 101303; None if it is not installed.
    """
    names = _DLLS if sys.platform == "win32" else _LIBRARIES
    loaded = [_load(name) for name in names]
    first = loaded[0]
    if first is None or None in loaded:
        return None
    version: int = first.getInferLibVersion()
    return version


def _load(name: str) -> ctypes.CDLL | None:
    for place in _places(name, sys.path):
        with suppress(OSError):
            # Global: ONNX Runtime's provider looks for the same names afterwards.
            return ctypes.CDLL(place, mode=ctypes.RTLD_GLOBAL)
    return None


def _places(name: str, folders: Iterable[str]) -> Iterable[str]:
    yield name
    for folder in folders:
        yield from map(str, Path(folder).glob(f"tensorrt_libs/{name}"))


def engine_folder(model: Path, runtime: Runtime, version: int) -> Path:
    """Where the engines of a model are kept; whatever makes them useless changes the name.

    ONNX Runtime itself adds the kind of GPU to the names of the files in there.

    Args:
        model: the ONNX file.
        runtime: the ONNX Runtime that makes them.
        version: of TensorRT.
    """
    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return cache_dir() / "tensorrt" / f"{digest[:16]}-onnxruntime{runtime.version}-{version}"


def is_built(folder: Path) -> bool:
    """Whether an engine lies in a folder."""
    return any(folder.glob("*.engine"))
