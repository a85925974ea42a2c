from __future__ import annotations

import struct
import threading

import cv2
import numpy as np
import pytest

from engine.face import Image
from stream.errors import SourceError
from stream.sources.settings import SourceSettings
from stream.web.camera import BrowserCamera, decode_jpeg


def nobody() -> None:
    """Is told when another browser takes the place."""


def picture(value: int) -> Image:
    return np.full((16, 24, 3), value, np.uint8)


def broken() -> Image:
    raise ValueError("no picture")


def test_what_cannot_be_read_is_left_out() -> None:
    camera = BrowserCamera(SourceSettings())
    seat = camera.seat(nobody)
    reader = threading.Thread(target=camera.__enter__)
    reader.start()
    seat.offer(broken)
    while camera.health()["browser"].detail == "":
        pass
    seat.offer(lambda: picture(7), 1000)
    reader.join()
    health = camera.health()["browser"]
    assert (health.state, health.sent) == ("running", 1)
    assert health.detail == "1 pictures could not be read"
    frame = next(iter(camera))
    assert (frame.seq, frame.pts_ns, frame.captured_ns) == (1, 0, 1000)


def test_time_rises_whatever_the_browser_says() -> None:
    camera = BrowserCamera(SourceSettings())
    seat = camera.seat(nobody)
    times = []
    seat.offer(lambda: picture(0), 5_000_000)
    with camera:
        frames = iter(camera)
        for captured_ns in (5_000_000, 5_000_000, 1_000_000, 2**62, 9_000_000):
            frame = next(frames)
            times.append(frame.pts_ns)
            seat.offer(lambda: picture(1), captured_ns)
    assert times == sorted(set(times))
    assert times[0] == 0


def test_it_says_how_it_is() -> None:
    camera = BrowserCamera(SourceSettings())
    assert camera.health()["browser"].state == "connecting"
    first = camera.seat(nobody)
    first.offer(lambda: picture(0))
    assert camera.health()["browser"].state == "running"
    told: list[bool] = []
    replacing = camera.seat(lambda: told.append(True))
    first.offer(lambda: picture(1))  # too late: it has lost the place
    first.leave()
    assert camera.health()["browser"].state == "running"
    replacing.leave()
    health = camera.health()["browser"]
    assert (health.state, health.losses, health.dropped) == ("lost", 2, 0)
    camera.seat(nobody)
    assert not told
    camera.stop()
    assert camera.health()["browser"].state == "ended"


def test_stopped_before_a_picture_came() -> None:
    camera = BrowserCamera(SourceSettings())
    camera.stop()
    with pytest.raises(SourceError, match="before a browser sent a picture"), camera:
        pass


def test_a_live_stream_has_no_later_start() -> None:
    with pytest.raises(SourceError, match="--start"), BrowserCamera(SourceSettings(start_s=1)):
        pass


def test_a_browsers_pictures_are_nothing_for_nvdec() -> None:
    camera = BrowserCamera(SourceSettings(decoder="nvdec"))
    with pytest.raises(SourceError, match="browser: NVDEC cannot decode it"), camera:
        pass


def test_pictures_from_outside_are_limited() -> None:
    def jpeg(width: int, height: int) -> bytearray:
        _, encoded = cv2.imencode(".jpg", np.zeros((16, 24, 3), np.uint8))
        forged = bytearray(encoded.tobytes())
        struct.pack_into(">HH", forged, forged.index(b"\xff\xc0") + 5, height, width)
        return forged

    assert decode_jpeg(bytes(jpeg(24, 16))).shape == (16, 24, 3)
    for width, height in ((0, 0), (8, 16), (5000, 16), (4096, 4096), (65_535, 65_535)):
        with pytest.raises(ValueError, match=f"{width} x {height} px"):
            decode_jpeg(bytes(jpeg(width, height)))
