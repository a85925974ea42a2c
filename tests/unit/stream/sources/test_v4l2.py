"""Questions to video devices, answered by a driver made of Python."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stream.sources import v4l2
from stream.sources.v4l2 import Mode, query

QUERYCAP, ENUM_FMT = 0x80685600, 0xC0405602
ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0xC02C564A, 0xC034564B
DEVICE_CAPS = 0x80000000
DISCRETE, STEPWISE = 1, 3


def fourcc(name: str) -> int:
    return int(struct.unpack("I", name.ljust(4).encode())[0])


@dataclass
class Driver:
    """Answers like linux/videodev2.h says."""

    everything: int
    of_this_node: int
    formats: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    intervals: dict[tuple[int, int], list[tuple[int, ...]]] = field(default_factory=dict)

    def ioctl(self, _descriptor: int, request: int, buffer: bytearray) -> int:
        if request == QUERYCAP:
            assert len(buffer) == 104
            struct.pack_into("16s32s32s3I", buffer, 0, *self.answer())
        elif request == ENUM_FMT:
            index, kind = struct.unpack_from("2I", buffer)
            assert (len(buffer), kind) == (64, 1)
            struct.pack_into("I", buffer, 44, fourcc(self.item(list(self.formats), index)))
        elif request == ENUM_FRAMESIZES:
            assert len(buffer) == 44
            index, code = struct.unpack_from("2I", buffer)
            sizes = next(sizes for name, sizes in self.formats.items() if fourcc(name) == code)
            size = self.item(sizes, index)
            struct.pack_into(
                f"{1 + len(size)}I", buffer, 8, DISCRETE if len(size) == 2 else STEPWISE, *size
            )
        elif request == ENUM_FRAMEINTERVALS:
            assert len(buffer) == 52
            index, _, *size = struct.unpack_from("4I", buffer)
            interval = self.item(self.intervals.get((size[0], size[1]), []), index)
            kind = DISCRETE if len(interval) == 2 else STEPWISE
            struct.pack_into(f"{1 + len(interval)}I", buffer, 16, kind, *interval)
        else:
            raise AssertionError(hex(request))
        return 0

    def answer(self) -> tuple[bytes, bytes, bytes, int, int, int]:
        return b"uvcvideo", b"HD Webcam", b"usb-1", 0x60000, self.everything, self.of_this_node

    @staticmethod
    def item(items: list, index: int) -> Any:
        if index >= len(items):
            raise OSError(errno.EINVAL, "Invalid argument")
        return items[index]


def test_a_camera_with_its_formats() -> None:
    driver = Driver(
        DEVICE_CAPS | 1,
        1,
        {
            "MJPG": [(640, 480), (1920, 1080), (1280, 720)],
            "YUYV": [(32, 800, 2, 24, 600, 2)],
            "Y8": [],
        },
    )
    found = query(3, "/dev/video0", "", driver.ioctl)
    assert (found.name, found.driver) == ("HD Webcam", "uvcvideo")
    assert found.captures
    assert not found.outputs
    assert found.formats == (("MJPG", (1920, 1080)), ("YUYV", (800, 600)), ("Y8", (0, 0)))


def test_its_modes_name_every_size_and_rate() -> None:
    driver = Driver(
        DEVICE_CAPS | 1,
        1,
        {"MJPG": [(640, 480), (1280, 720)], "YUYV": [(32, 800, 2, 24, 600, 2)], "Y8": []},
        {(640, 480): [(1, 30), (1, 60), (1001, 30_000)], (800, 600): [(1, 50, 5, 1, 1, 1000)]},
    )
    assert query(3, "/dev/video0", "", driver.ioctl).modes == (
        Mode("MJPG", 640, 480, (60.0, 30.0, 29.97)),
        Mode("MJPG", 1280, 720),
        Mode("YUYV", 800, 600, (50.0, 0.2), up_to=True),
        Mode("Y8", 0, 0),
    )


def test_a_node_that_only_carries_metadata() -> None:
    found = query(3, "/dev/video1", "known", Driver(DEVICE_CAPS | 1, 0x00800000).ioctl)
    assert found.name == "known"
    assert not found.captures
    assert not found.formats


def test_an_old_driver_without_capabilities_of_nodes() -> None:
    found = query(3, "/dev/video10", "", Driver(2, 0).ioctl)
    assert found.outputs


def test_files_that_are_no_device_are_a_problem_and_no_error(tmp_path: Path) -> None:
    for name in ("video2", "video10", "video0", "videos", "video1x"):
        (tmp_path / name).write_bytes(b"")
    sysfs = tmp_path / "sys"
    (sysfs / "video0").mkdir(parents=True)
    (sysfs / "video0" / "name").write_text("HD Webcam\n")
    found = v4l2.devices(tmp_path, sysfs)
    assert [Path(device.path).name for device in found] == ["video0", "video2", "video10"]
    assert found[0].name == "HD Webcam"
    assert all(device.problem for device in found)


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "video0").write_bytes(b"")
    monkeypatch.setattr("sys.platform", "darwin")
    assert v4l2.devices(tmp_path) == []
