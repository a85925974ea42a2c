from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
import pytest

from stream.errors import SourceError
from stream.sources import SourceSettings
from stream.sources.camera import OpenCVCamera, v4l2_camera

ASKED = SourceSettings(camera_width=640, camera_height=360, camera_rate_hz=15)


class FakeCapture:
    """What OpenCV's capture does when a driver chooses its own size."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.asked: list[tuple[int, float]] = []
        self.left = 3
        self.released = False

    def set(self, name: int, value: float) -> bool:
        self.asked.append((name, value))
        return True

    def get(self, name: int) -> float:
        return 29.97 if name == cv2.CAP_PROP_FPS else 0.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.zeros((480, 640, 3), np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


def test_opencv_camera_tells_what_the_driver_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeCapture] = []
    monkeypatch.setattr(
        cv2, "VideoCapture", lambda index: made.append(FakeCapture(index)) or made[0]
    )
    frames = []
    with OpenCVCamera(2, ASKED) as camera, pytest.raises(SourceError, match="source lost"):
        assert (camera.info.width, camera.info.height, camera.info.live) == (640, 480, True)
        for frame in camera:
            frames.append(frame)  # noqa: PERF402 - what came before the error counts
    assert [frame.seq for frame in frames] == [0, 1]
    assert frames[0].pts_ns == 0 < frames[1].pts_ns
    assert made[0].released
    names = [name for name, _ in made[0].asked]
    assert names.index(cv2.CAP_PROP_FOURCC) < names.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert (cv2.CAP_PROP_FRAME_HEIGHT, 360) in made[0].asked


def test_opencv_camera_without_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = FakeCapture(0)
    capture.left = 0
    monkeypatch.setattr(cv2, "VideoCapture", lambda _index: capture)
    with pytest.raises(SourceError, match="camera 0: gives no picture"):
        OpenCVCamera(0, ASKED).__enter__()
    assert capture.released


def test_v4l2_tries_the_formats_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[dict[str, Any]] = []

    def refuse(device: str, **options: Any) -> None:
        tried.append(options["container_options"])
        raise av.error.ArgumentError(22, "Invalid argument", device)

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(SourceError, match="tried mjpeg, yuyv422, the driver's choice"):
        v4l2_camera("/dev/video9", ASKED).__enter__()
    assert [options.get("input_format") for options in tried] == ["mjpeg", "yuyv422", None]
    assert all(options["video_size"] == "640x360" for options in tried)
    assert all(options["framerate"] == "15" for options in tried)


def test_v4l2_takes_a_named_format_literally(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: str, **options: Any) -> None:
        raise av.error.ArgumentError(22, "Invalid argument", device)

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(SourceError, match=r"\(tried nv12\)"):
        v4l2_camera("/dev/video9", SourceSettings(camera_format="nv12")).__enter__()


def test_v4l2_without_permission_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: str, **options: Any) -> None:
        raise av.error.PermissionError(13, "Permission denied", device)

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(SourceError, match="add your user to the group 'video'"):
        v4l2_camera("/dev/video9", ASKED).__enter__()


def test_what_the_driver_changed_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    with OpenCVCamera(2, ASKED):
        pass
    (record,) = caplog.records
    assert record.getMessage() == (
        "camera 2: asked for 640x360 at 15 frames per second, the camera gives 640x480 at 29.97; "
        "`run_stream.py --list-devices` shows what it offers"
    )


def test_what_the_driver_kept_needs_no_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    with OpenCVCamera(0, SourceSettings(camera_width=640, camera_height=480)):
        pass
    assert not caplog.records
