"""All kinds of untrusted input; each is loaded where it is needed."""

from __future__ import annotations

from importlib import import_module

from tests.fuzz.kind import Kind

PLACES = {
    **dict.fromkeys(("mp4", "mov", "mkv", "ts", "avi", "gif", "still"), "media"),
    **dict.fromkeys(("png", "jpg", "webp", "tiff", "bmp"), "pictures"),
    **dict.fromkeys(("onnx", "half-model", "swap-model"), "models"),
    **dict.fromkeys(("model-graph", "landmark-model"), "models"),
    **dict.fromkeys(("toml", "set"), "settings"),
    **dict.fromkeys(("checkpoint", "checkpoint-state", "alignments", "detections"), "training"),
    **dict.fromkeys(("http", "websocket", "camera"), "panel"),
}
"""Kind to the module that knows it."""

INPUTS = {
    **dict.fromkeys(("mp4", "mov", "mkv", "ts", "avi", "gif"), 700),
    "still": 400,
    **dict.fromkeys(("png", "jpg", "webp", "tiff", "bmp"), 400),
    "onnx": 900,
    "half-model": 400,
    "swap-model": 400,
    "model-graph": 900,
    "landmark-model": 100,
    "toml": 800,
    "set": 600,
    "checkpoint": 300,
    "checkpoint-state": 200,
    "alignments": 250,
    "detections": 250,
    "http": 700,
    "websocket": 300,
    "camera": 300,
}
"""How many of each make the 10,000 and more of `make fuzz`."""

NEED_TORCH = frozenset(("checkpoint", "checkpoint-state"))


def kind(name: str) -> Kind:
    """Find a kind by its name."""
    found = import_module(f"tests.fuzz.{PLACES[name]}").KINDS[name]
    assert isinstance(found, Kind)
    return found
