"""Settings files and `--set` texts: read, and a run made of them that is not entered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineError
from stream import config
from stream.errors import StreamError
from stream.run import Run
from tests.fuzz.kind import SECRET, Kind, Reader

_TOML = f"""
source = "rtsp://user:{SECRET}@camera.example/stream"
out = ["out.mp4", "rtmp://user:{SECRET}@server.example/live", "web"]
preset = "best"
threads = 2
[input]
start_s = 1.5
duration_s = 20
camera_width = 1280
[blend]
mask = "hull+skin"
feather = 0.2
[track]
max_faces = 2
[gate]
on_miss = "hold"
[output]
crf = 18
preset = "fast"
[web]
port = 8765
token = "{SECRET}"
names = ["box.example"]
[marking]
text = "synthetic"
"""

_SETS = (
    f"source=rtsp://user:{SECRET}@camera.example/stream",
    f"out=['rtmp://user:{SECRET}@server.example/live', 'null']",
    f"web.token={SECRET}",
    "blend.feather=0.2",
    "blend.mask=hull+skin",
    "input.duration_s=none",
    "track.max_faces=4",
    "web.names=['a','b']",
    "marking.text='so'",
    "gate.on_miss=slate",
)


@contextmanager
def _file(folder: Path) -> Iterator[Reader]:
    path = folder / "facestream.toml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        Run(config.load(path, [], {}))

    yield read


@contextmanager
def _overrides(_: Path) -> Iterator[Reader]:
    def read(data: bytes) -> None:
        # As the system hands words to a program.
        words = data.decode("utf-8", "surrogateescape").split("\n")
        Run(config.load(None, words, {}))

    yield read


def _toml_seeds() -> Sequence[bytes]:
    return [_TOML.encode()]


def _set_seeds() -> Sequence[bytes]:
    return [*(text.encode() for text in _SETS), "\n".join(_SETS[3:]).encode()]


_WORDS = [
    *(b"inf", b"nan", b"-0", b"0x10", b"1979-05-27", b"[[web]]", b"[", b"{", b"'''", b"none"),
    *(b"source", b"blend", b"input.", b"= true", b"\x00", b"\xed\xb0\x80", b"[[" * 500),
]

KINDS = {
    "toml": Kind(_toml_seeds, _file, (StreamError, EngineError, OSError), _WORDS),
    "set": Kind(_set_seeds, _overrides, (StreamError, EngineError, OSError), _WORDS),
}
