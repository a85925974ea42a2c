from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from stream import devices
from stream.devices import Devices, list_devices, sections
from stream.errors import SourceError
from stream.findings import Section
from stream.sources import screen, v4l2
from stream.sources.screen import Screen
from stream.sources.v4l2 import Mode, VideoDevice

WEBCAM = VideoDevice(
    "/dev/video0",
    "HD Webcam",
    "uvcvideo",
    captures=True,
    modes=(
        Mode("MJPG", 1280, 720, (60.0, 29.97)),
        Mode("MJPG", 640, 480, (30.0,)),
        Mode("YUYV", 640, 480),
        Mode("GREY", 800, 600, (50.0, 0.2), up_to=True),
        Mode("Y8", 0, 0),
    ),
)
VIRTUAL = VideoDevice("/dev/video10", "facestream", "v4l2 loopback", outputs=True)
METADATA = VideoDevice("/dev/video1", "HD Webcam", "uvcvideo")
LOCKED = VideoDevice("/dev/video2", "Old Cam", problem="Permission denied")
LEFT = Screen(1, "DP-1", 0, 0, 1920, 1080, primary=True)
RIGHT = Screen(2, "", 1920, -200, 2560, 1440, primary=False)


def lines(found: list[Section], name: str) -> list[tuple[str, str]]:
    (section,) = [section for section in found if section.name == name]
    return [(finding.subject, finding.says) for finding in section.findings]


def test_a_camera_is_listed_with_all_that_it_offers() -> None:
    found = list(sections(Devices((WEBCAM, METADATA, LOCKED, VIRTUAL)), linux=True))
    assert lines(found, "Cameras") == [
        ("/dev/video0", "HD Webcam, driver uvcvideo"),
        ("", "MJPG: 1280x720 at 60, 29.97 Hz; 640x480 at 30 Hz"),
        ("", "YUYV: 640x480"),
        ("", "GREY: up to 800x600 at 0.2 to 50 Hz"),
        ("", "Y8: any size"),
        ("/dev/video2", "Old Cam: Permission denied"),
    ]
    assert lines(found, "Virtual cameras")[0][0] == "/dev/video10"


def test_screens_are_listed_as_they_are_given() -> None:
    found = list(sections(Devices(screens=(LEFT, RIGHT)), linux=True))
    assert lines(found, "Screens") == [
        ("screen:1", "1920x1080 at 0,0, DP-1, the one that 'screen' shows"),
        ("screen:2", "2560x1440 at 1920,-200"),
    ]


def test_nothing_is_said_to_be_nothing() -> None:
    found = list(sections(Devices(no_screens="screen: no desktop"), linux=True))
    assert lines(found, "Cameras") == [("none", "no camera is connected")]
    assert lines(found, "Screens") == [("none", "screen: no desktop")]
    assert [section.name for section in found] == ["Cameras", "Screens"]


def test_other_systems_number_their_cameras() -> None:
    found = list(sections(Devices(names=("FaceTime", "Phone")), linux=False))
    assert lines(found, "Cameras") == [("0", "FaceTime"), ("1", "Phone")]
    unknown = list(sections(Devices(), linux=False))
    assert lines(unknown, "Cameras")[0][0] == "unknown"


def no_desktop() -> list[Screen]:
    raise SourceError("screen: no desktop to capture")


def test_the_command_prints_lines_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda: [WEBCAM])
    monkeypatch.setattr(screen, "screens", no_desktop)
    monkeypatch.setattr(devices.sys, "platform", "linux")
    said = CliRunner().invoke(list_devices, [])
    assert said.exit_code == 0
    assert "1280x720 at 60, 29.97 Hz" in said.output
    assert "no desktop to capture" in said.output
    found = json.loads(CliRunner().invoke(list_devices, ["--json"]).output)
    assert found["video"][0]["modes"][0] == {
        "format": "MJPG",
        "width": 1280,
        "height": 720,
        "rates_hz": [60.0, 29.97],
        "up_to": False,
    }
