"""What training and extraction read again: checkpoints, alignments, the log of faces."""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineError
from export.extraction.alignments import FILE_NAME, Aligned, read_alignments, write_alignments
from export.extraction.log import DetectionLog
from tests.fuzz.kind import Kind, Reader
from tests.unit.export.extraction.faked import found

_STATE = {"version": 1, "plan": "light", "step": 3}


def _safetensors(state: bytes) -> bytes:
    """A file as safetensors writes it; `state` need not be JSON."""
    text = json.dumps(state.decode("utf-8", "replace"))
    header = (
        '{"__metadata__":{"state":' + text + '},"average.weight":'
        '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    ).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<2f", 1, 2)


@contextmanager
def _checkpoints(folder: Path) -> Iterator[Reader]:
    from export import checkpoint  # noqa: PLC0415 - PyTorch, an extra

    path = folder / checkpoint.NAME

    def read(data: bytes) -> None:
        path.write_bytes(data)
        checkpoint.load_network(checkpoint.load(folder))

    yield read


@contextmanager
def _states(folder: Path) -> Iterator[Reader]:
    with _checkpoints(folder) as read_file:

        def read(data: bytes) -> None:
            read_file(_safetensors(data))

        yield read


@contextmanager
def _alignments(folder: Path) -> Iterator[Reader]:
    (folder / "a.png").touch()

    def read(data: bytes) -> None:
        (folder / FILE_NAME).write_bytes(data)
        for crop in read_alignments(folder) or ():
            crop.landmarks_px(64)

    yield read


@contextmanager
def _detections(folder: Path) -> Iterator[Reader]:
    path = folder / "detections.jsonl"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        DetectionLog(path).entry("clip.mp4", "clip", (1, 2), 1)

    yield read


def _checkpoint_seeds() -> Sequence[bytes]:
    return [_safetensors(json.dumps(_STATE).encode())]


def _alignment_seeds() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_alignments(folder, [Aligned.of(found(3, 1), "a.png", "clip.mp4")])
        return [(folder / FILE_NAME).read_bytes()]


def _detection_seeds() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "log.jsonl"
        log = DetectionLog(path)
        entry = log.entry("clip.mp4", "clip", (1, 2), 1)
        log.add(entry, [found(3, 1)], 7)
        log.finish(entry, None)
        return [path.read_bytes()]


_WORDS = [b'"version":1', b"null", b"[]", b"{}", b'"plan"', b"NaN", b"[" * 3000, b'"a\\u0000.png"']

KINDS = {
    "checkpoint": Kind(_checkpoint_seeds, _checkpoints, (EngineError,), _WORDS),
    "checkpoint-state": Kind(
        lambda: [json.dumps(_STATE).encode()], _states, (EngineError,), _WORDS
    ),
    "alignments": Kind(_alignment_seeds, _alignments, (EngineError,), _WORDS),
    "detections": Kind(_detection_seeds, _detections, (EngineError,), _WORDS),
}
