"""A live stream in a thread of its own, and who watches it in another program."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

from stream.pipeline import Pipeline
from tests import barcode
from tests.devices.guest.conftest import FIRST
from tests.live.broadcast import SIZE

PATIENCE_S = 60.0

_VIEWER = """
import sys, av
with av.open(sys.argv[1], format="v4l2") as camera, open(sys.argv[2], "wb", buffering=0) as kept:
    for picture in camera.demux(video=0):
        kept.write(picture)
"""


class Viewer:
    """Another program, which keeps every picture that the virtual camera FIRST gives it."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: list[int] = []

    def __enter__(self) -> Self:
        return self

    def look(self) -> None:
        """Begin; the camera has to be written already."""
        self._process = subprocess.Popen([sys.executable, "-c", _VIEWER, FIRST, self._kept])

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def seen(self) -> list[int]:
        """Numbers of all pictures so far."""
        width, height = SIZE
        picture_bytes = width * height * 3 // 2
        if self._kept.exists():
            with self._kept.open("rb") as file:
                file.seek(len(self._seen) * picture_bytes)
                while len(picture := file.read(picture_bytes)) == picture_bytes:
                    luma = np.frombuffer(picture, np.uint8, width * height)
                    self._seen.append(barcode.read(luma.reshape(height, width, 1)))
        return self._seen.copy()


@contextmanager
def running(pipeline: Pipeline) -> Iterator[None]:
    """In a thread of its own; after the block all of its outputs are finished."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            pipeline.run()
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        pipeline.stop()
        thread.join()
    if failures:
        raise failures[0]


def wait_until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.2)
