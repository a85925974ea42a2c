"""The program itself, streaming to the panel, and pictures for it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any, Self

import av
import cv2
import httpx

ROOT = Path(__file__).parents[2]
DEMO = Path(str(resources.files("stream") / "bundled" / "demo.mp4"))
TOKEN = "token-of-the-panel-tests"  # noqa: S105 - opens servers of tests on loopback

_START_S = 60.0
_END_S = 20.0


class PanelRun:
    """A run of the program with `--out web`, from entering to leaving.

    Attributes:
        folder: where it runs; recordings are made below.
        url: what to open in a browser.
    """

    def __init__(self, folder: Path, source: str | Path, *options: str) -> None:
        """Starts nothing yet.

        Args:
            folder: its working folder; its output is kept there as output.txt.
            source: what to stream.
            options: more of the command line.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.folder = folder
        self._address = f"http://127.0.0.1:{self._port}"
        self.url = f"{self._address}/?token={TOKEN}"
        self._command = [
            *(sys.executable, str(ROOT / "run_stream.py"), str(source)),
            *("--live", "--out", "web", *options),
            *("--set", f"web.port={self._port}", "--set", f"web.token={TOKEN}"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, at the same address each time; returns when the panel answers."""
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, stdout=output, stderr=output
            )
        limit = time.monotonic() + _START_S
        while not self._answers():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > limit:
                self.stop()
                raise AssertionError((self.folder / "output.txt").read_text())
            time.sleep(0.1)

    def stop(self) -> None:
        """End it as Ctrl-C does; forgets nothing on disk."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def status(self) -> dict[str, Any]:
        """What `/api/status` tells."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = httpx.get(f"{self._address}/api/status", headers=headers, timeout=10)
        found: dict[str, Any] = answer.json()
        return found

    def _answers(self) -> bool:
        try:
            httpx.get(f"{self._address}/health", timeout=5)
        except httpx.TransportError:
            return False
        return True


def looped_demo(path: Path, times: int) -> None:
    """The pictures of the demo clip again and again, without its sound; nothing is encoded."""
    with av.open(str(DEMO)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        packets = [packet for packet in source.demux(video) if packet.pts is not None]
        length = round(Fraction(video.duration or 0))
        for turn in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.is_keyframe, again.time_base = packet.is_keyframe, packet.time_base
                again.pts, again.dts = packet.pts + turn * length, packet.dts + turn * length
                again.stream = copy
                target.mux(again)


def camera_file(path: Path, pictures: int = 75, size: tuple[int, int] = (640, 360)) -> None:
    """The first pictures of the demo clip as motion JPEG, for a browser's camera."""
    with av.open(str(DEMO)) as source, path.open("wb") as file:
        for _, frame in zip(range(pictures), source.decode(video=0), strict=False):
            small = cv2.resize(frame.to_ndarray(format="bgr24"), size, interpolation=cv2.INTER_AREA)
            file.write(cv2.imencode(".jpg", small)[1].tobytes())
