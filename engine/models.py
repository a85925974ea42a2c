"""The swap models that come with the engine."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from engine.errors import ModelError

_FOLDER = Path(str(resources.files("engine") / "bundled"))


def bundled_models() -> list[str]:
    """Names of the models that need no path."""
    return sorted(file.stem for file in _FOLDER.glob("*.onnx"))


def model_path(name_or_path: str) -> Path:
    """Find a model.

    Args:
        name_or_path: name of a bundled model, or a path to an ONNX file.

    Raises:
        ModelError: neither.
    """
    names = bundled_models()
    if name_or_path in names:
        return _FOLDER / f"{name_or_path}.onnx"
    path = Path(name_or_path)
    if path.is_file():
        return path
    nearest = difflib.get_close_matches(name_or_path, names, n=1)
    advice = f"did you mean {nearest[0]!r}?" if nearest else f"bundled are: {', '.join(names)}"
    raise ModelError(f"model {name_or_path!r}: no such file and no bundled model; {advice}")
