"""An RTSP server that tests may kill, freeze and start again on the same port."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from tests.live.servers.process import ServerProcess

_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).with_name("rtsp_process.py")
_START_TIMEOUT_S = 30.0  # The first start of all writes GStreamer's list of plug-ins.

_ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast threads=1 bitrate=600 "
    "key-int-max={gop} ! video/x-h264,profile=baseline ! rtph264pay config-interval=-1",
    "hevc": "x265enc tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max={gop} "
    "! rtph265pay config-interval=-1",
    "mjpeg": "jpegenc ! rtpjpegpay",
}
_SOUND = (
    " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=1 "
    "! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97"
)


def live_picture(
    width: int = 320,
    height: int = 240,
    *,
    rate_hz: int = 25,
    codec: str = "h264",
    gop_s: float = 0.5,
    sound: bool = False,
) -> str:
    """Pipeline of a mount that plays a moving test picture, like a network camera.

    Args:
        width: in pixels.
        height: in pixels.
        rate_hz: frames per second.
        codec: `h264`, `hevc` or `mjpeg`.
        gop_s: between key frames.
        sound: with a tick every second, as AAC.
    """
    encoder = _ENCODERS[codec].format(gop=max(round(gop_s * rate_hz), 1))
    return (
        f"videotestsrc is-live=true pattern=ball "
        f"! video/x-raw,format=I420,width={width},height={height},framerate={rate_hz}/1 "
        f"! {encoder} name=pay0 pt={26 if codec == 'mjpeg' else 96}" + _SOUND * sound
    )


def clip(path: Path, *, sound: bool = False) -> str:
    """Pipeline of a mount that plays an MP4 of H.264 (and AAC) once, in real time."""
    picture = (
        f"filesrc location={path} ! qtdemux name=d "
        "d.video_0 ! queue ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
    )
    return picture + " d.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97" * sound


class RtspServer(ServerProcess[str]):
    """gst-rtsp-server in a process of its own, on loopback.

    Mounts: `/test`, a moving test picture; whatever else `play` names; what is published (H.264
    over TCP, of one slice a picture) to `/publish` is played by `/play`, and what is published
    with AAC to `/publish-sound` by `/play-sound`. A player of those two gets its answer once
    somebody publishes.
    """

    def __init__(self, play: Mapping[str, str] | None = None) -> None:
        """Choose a port; nothing runs before the block is entered.

        Args:
            play: paths such as `/clip` to pipelines, see `live_picture` and `clip`; they come
                in addition to, or in place of, `/test`.
        """
        self.play = {"/test": live_picture(), **(play or {})}
        self.port = _free_port(socket.SOCK_STREAM)
        self._relays = [
            (f"/publish{name}", f"/play{name}", bool(name), *_free_ports(2))
            for name in ("", "-sound")
        ]

    def url(self, path: str = "/test") -> str:
        """Where a mount is found."""
        return f"rtsp://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """Return once it serves; `self.play` may have changed since the last time."""
        assert self._process is None, "it runs already"
        self._process = subprocess.Popen(
            [_PYTHON, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A crash of one of its pipelines must not wait for a debugger.
            env={**os.environ, "G_DEBUG": ""},
        )
        wanted = {"port": self.port, "play": self.play, "relays": self._relays}
        stdin, stdout = _pipes(self._process)
        stdin.write(json.dumps(wanted) + "\n")
        stdin.flush()
        answers, _, _ = select.select([stdout], [], [], _START_TIMEOUT_S)
        if not answers or stdout.readline().strip() != "ready":
            self.kill()
            raise RuntimeError("the RTSP server did not start; see its messages above")


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _free_ports(count: int) -> list[int]:
    # Held together, so that no port is given twice.
    held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for found in held:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in held]
    finally:
        for found in held:
            found.close()
