"""Sources that need a real program: screens, web cameras by HTTP, live playlists."""

from __future__ import annotations

import http.server
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
import pytest

from stream.errors import SourceError
from stream.frame import Frame
from stream.sources import SourceSettings, open_source
from stream.sources.reconnecting import Reconnecting
from stream.sources.screen import screens
from tests import barcode
from tests.contract import media
from tests.live.needs import needs

HASTY = SourceSettings(read_timeout_s=1.0, screen_rate_hz=20.0)


class Desktop:
    """An X server without a screen; its pixels lie in a file."""

    width, height = 320, 240

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        reader, writer = os.pipe()
        place = ("-screen", "0", f"{self.width}x{self.height}x24", "-fbdir", str(folder))
        self._server = subprocess.Popen(
            # Without `-noreset` it paints all black again when the last program has left.
            ["Xvfb", "-displayfd", str(writer), *place, "-noreset", "-nolisten", "tcp"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as answer:
            self.display = f":{answer.readline().strip()}"

    def end(self) -> None:
        self._server.kill()
        self._server.wait()

    def paint(self, blue: int, green: int, red: int) -> None:
        pixels = np.full((self.height, self.width, 4), (blue, green, red, 0), np.uint8)
        with (self._folder / "Xvfb_screen0").open("r+b") as memory:
            memory.seek(-pixels.nbytes, os.SEEK_END)
            memory.write(pixels.tobytes())


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    made = Desktop(tmp_path)
    try:
        monkeypatch.setenv("DISPLAY", made.display)
        yield made
    finally:
        made.end()


@needs("xvfb")
def test_a_screen_shows_what_is_on_it(desktop: Desktop) -> None:
    desktop.paint(10, 20, 250)
    with open_source("screen", HASTY) as source:
        assert (source.info.width, source.info.height) == (desktop.width, desktop.height)
        assert source.info.live
        frames = iter(source)
        first = next(frames)
        assert first.image[120, 160].tolist() == [10, 20, 250]
        desktop.paint(10, 250, 20)
        seen = itertools.islice(frames, 40)
        assert any(frame.image[120, 160].tolist() == [10, 250, 20] for frame in seen)


@needs("xvfb")
def test_a_part_of_a_screen_keeps_its_rate(desktop: Desktop) -> None:
    with open_source("screen:100,50,64x48", HASTY) as source:
        frames = list(itertools.islice(source, 10))
    assert all(frame.image.shape == (48, 64, 3) for frame in frames)
    steps_ms = np.diff([frame.pts_ns for frame in frames]) / 1e6
    assert 45 < np.median(steps_ms) < 80, "20 pictures a second, on a busy machine"
    assert [frame.seq for frame in frames] == list(range(10))


@needs("xvfb")
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("screen:7", "screen:7: no such monitor; there are 1"),
        ("screen:0,0,9999x48", "screen:0,0,9999x48: cannot be captured: "),
    ],
)
def test_a_screen_that_is_not_there_is_refused(url: str, message: str, desktop: Desktop) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(url, HASTY).__enter__()


@needs("xvfb")
def test_a_desktop_that_is_gone_is_lost(desktop: Desktop) -> None:
    once = SourceSettings(screen_rate_hz=20.0, reconnect=False)
    with open_source("screen", once) as source:
        frames = iter(source)
        next(frames)
        desktop.end()
        with pytest.raises(SourceError, match="screen: source lost: "):
            for _ in itertools.islice(frames, 100):
                pass


def test_without_a_desktop_there_are_no_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SourceError, match="screen: no desktop to capture"):
        screens()


class Camera(media.Quiet):
    """Motion JPEG as web cameras send it: ten pictures a second; after 13 it hangs up."""

    def do_GET(self) -> None:  # noqa: N802 - as the base class calls it
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for number in itertools.count():
            _, jpeg = cv2.imencode(".jpg", barcode.picture(number))
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg.tobytes() + b"\r\n")
            except OSError:
                return
            time.sleep(0.1)
            if number == 12:
                return


@contextmanager
def serving(handler: Callable[..., Any]) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_motion_jpeg_camera_has_its_own_time_and_is_found_again() -> None:
    with serving(Camera) as port:
        source = open_source(f"http://me:secret@127.0.0.1:{port}/video.mjpg", HASTY)
        assert isinstance(source, Reconnecting)
        with source:
            frames = list(itertools.islice(source, 20))
            source.stop()
        ((name, health),) = source.health().items()
    assert "secret" not in name
    assert health.losses >= 1
    # FFmpeg would say 25 a second for what comes ten times a second.
    steps_ms = np.diff([frame.pts_ns for frame in frames]) / 1e6
    assert 60 < np.median(steps_ms) < 180
    assert [frame.seq for frame in frames] == list(range(20))


class Broadcaster:
    """Makes a live playlist of one-second segments in a folder, as long as the block lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._broadcast)
        self.number = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        self._thread.join()

    def _broadcast(self) -> None:
        rules = {"hls_time": "1", "hls_list_size": "6", "hls_flags": "independent_segments"}
        with av.open(str(self._folder / "live.m3u8"), "w", format="hls", options=rules) as output:
            coder = {"tune": "zerolatency", "g": "25"}
            video = output.add_stream("libx264", rate=25, options=coder)
            context = video.codec_context
            context.width, context.height = barcode.WIDTH, barcode.HEIGHT
            context.time_base = Fraction(1, 90_000)
            began_s = time.monotonic()
            while not self._leave.wait(max(began_s + self.number / 25 - time.monotonic(), 0)):
                picture = av.VideoFrame.from_ndarray(barcode.picture(self.number), "bgr24")
                picture.pts, picture.time_base = 3600 * self.number, Fraction(1, 90_000)
                output.mux(video.encode(picture))
                self.number += 1
            output.mux(video.encode(None))


def test_a_live_playlist_is_shown_from_its_newest_segment_at_its_own_speed(
    tmp_path: Path,
) -> None:
    with media.served(tmp_path) as url, Broadcaster(tmp_path) as broadcaster:
        while broadcaster.number < 25 * 4 + 10:
            time.sleep(0.02)
        with open_source(f"{url}/live.m3u8", SourceSettings()) as source:
            assert source.info.endless
            frames: list[Frame] = []
            behind = []
            for frame in itertools.islice(source, 60):
                behind.append(broadcaster.number - barcode.read(frame.image))
                frames.append(frame)
            source.stop()
    numbers = barcode.numbered(frames)
    assert numbers == list(range(numbers[0], numbers[0] + 60)), "none is left out"
    # A segment is 25 pictures; three of them behind would be the usual start.
    assert max(behind[:10]) < 60
    arrived_s = (frames[-1].captured_ns - frames[0].captured_ns) / 1e9
    assert arrived_s > 59 / 25 - 0.1, "not in a burst for each segment"


def test_a_live_playlist_that_ends_is_an_end(tmp_path: Path) -> None:
    with media.served(tmp_path) as url:
        with Broadcaster(tmp_path) as broadcaster:
            while broadcaster.number < 25 * 3:
                time.sleep(0.02)
            source = open_source(f"{url}/live.m3u8", SourceSettings(retry_first_s=0.05))
            source.__enter__()
        numbers = [barcode.read(frame.image) for frame in source]
        source.__exit__(None, None, None)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[-1] >= 74


def test_ctrl_c_ends_waiting_for_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"
        command = [sys.executable, "run_stream.py", url, "--out", "null"]
        patient = ["--set", "input.open_timeout_s=600"]
        with subprocess.Popen([*command, *patient], stderr=subprocess.PIPE, text=True) as run:
            try:
                listener.settimeout(60)
                connection, _ = listener.accept()
                with connection:
                    run.send_signal(signal.SIGINT)
                    _, says = run.communicate(timeout=10)
            finally:
                run.kill()
        assert (run.returncode, "Traceback" in says) == (130, False), says
