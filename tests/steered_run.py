"""A stand-in for a run that the panel may steer, and what a browser does with a panel."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from engine.face import Image
from stream.errors import ConfigError, SinkError
from stream.frame import Frame
from stream.health import Health
from stream.link import LinkStats
from stream.pipeline import Pipeline
from stream.report import Percentiles, Report, StageReport
from stream.sinks.null import NullSink
from stream.web.server import WebServer


class SteeredRun:
    """Keeps what it is told.

    Attributes:
        now: the settings in force.
        recording: name of the file being recorded.
        finished: files that were recorded.
        failure: raised by `status` if set.
    """

    def __init__(self) -> None:
        self.now: dict[str, Any] = {"opacity": 1.0, "mask": "hull"}
        self.recording = ""
        self.finished: tuple[Path, ...] = ()
        self.failure: Exception | None = None

    def status(self) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        return {"state": "running", "report": REPORT.to_json()}

    def report(self) -> Report | None:
        return REPORT

    def settings(self) -> dict[str, Any]:
        return {name: {"value": value} for name, value in self.now.items()}

    def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        if changes.get("mask") == "star":
            raise ConfigError("mask is 'star';\nexpected one of hull")
        self.now.update(changes)
        return self.settings()

    @property
    def recordings(self) -> str:
        return "/films"

    def start_recording(self) -> str:
        if self.recording:
            raise SinkError("a recording runs already")
        self.recording = "one.mp4"
        return self.recording

    def stop_recording(self) -> str:
        self.recording = ""
        self.finished += (Path(self.recordings) / "one.mp4",)
        return "one.mp4"


REPORT = replace(
    Pipeline([], {}, {"web": NullSink()}, live=True).report(),
    frames_in=10,
    frames_out=8,
    dropped=2,
    held=1,
    faces_found=9,
    faces_swapped=7,
    frames_without_face=1,
    wall_s=2.0,
    age_ms=Percentiles(10, 20, 30),
    stages={"swap": StageReport(8, 5.0, 6.0, 0.5, 4.0)},
    links={"capture -> swap": LinkStats(8, 2, 1, 1, 1)},
    source={"browser": Health("running", sent=10)},
    sinks={'odd "name"\n': Health("lost", losses=3, dropped=4)},
)


def frame(seq: int, image: Image, original: Image | None = None, *, held: bool = False) -> Frame:
    return Frame(image, seq * 33_000_000, seq, time.monotonic_ns(), original=original, held=held)


def bearer(server: WebServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.access.token}"}


def address(server: WebServer, path: str, scheme: str = "ws") -> str:
    return f"{scheme}://127.0.0.1:{server.port}{path}"


def open_socket(server: WebServer, path: str) -> connect:
    return connect(
        address(server, path), additional_headers=bearer(server), max_size=None, compression=None
    )


class Shown(NamedTuple):
    """One message of `/ws/view`, taken apart."""

    seq: int
    flags: int
    captured_ms: float
    swapped: Image
    original: Image | None


def shown(message: bytes | str) -> Shown:
    assert isinstance(message, bytes)
    seq, flags, captured_ms, swapped, original = struct.unpack_from("<IIdII", message)
    assert len(message) == 24 + swapped + original
    first, second = message[24 : 24 + swapped], message[24 + swapped :]
    return Shown(seq, flags, captured_ms, decoded(first), decoded(second) if second else None)


def decoded(jpeg: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def camera_message(image: Image, sent_ms: float = 0.0) -> bytes:
    _, jpeg = cv2.imencode(".jpg", image)
    return struct.pack("<d", sent_ms) + jpeg.tobytes()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something, and fail if it does not come at all."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what is waited for lives on other threads
            await asyncio.sleep(0.005)


async def next_shown(socket: ClientConnection) -> Shown:
    """The next picture, acknowledged."""
    picture = shown(await asyncio.wait_for(socket.recv(), 10))
    await socket.send("ack")
    return picture
