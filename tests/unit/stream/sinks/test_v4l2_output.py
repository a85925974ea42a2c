from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.errors import SinkError
from stream.sinks.v4l2_output import V4L2Output, first_free
from stream.sources.v4l2 import VideoDevice
from tests.virtual_cameras import CAPTURE, OUTPUT, LoopbackDriver

pytest.importorskip("fcntl", reason="V4L2 is a part of Linux")

SIZE = (64, 48)
PICTURE = np.full(64 * 48 * 3 // 2, 128, np.uint8)
MODPROBE = r'sudo modprobe v4l2loopback exclusive_caps=1 card_label="facestream"'


@pytest.fixture
def driver(tmp_path: Path) -> LoopbackDriver:
    return LoopbackDriver(tmp_path / "video10")


@pytest.fixture(autouse=True)
def every_descriptor_closed() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers
    yield
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - numbers


def opened(driver: LoopbackDriver, rate: Fraction | None = None) -> V4L2Output:
    return V4L2Output(str(driver.path), SIZE, rate, ioctl=driver.ioctl)


def test_the_stream_starts_before_the_first_picture_and_stops_at_the_end(
    driver: LoopbackDriver,
) -> None:
    output = opened(driver, Fraction(30_000, 1001))
    assert driver.said == ["ask", "format", "rate", "on"]
    assert output.send(PICTURE)
    output.close()
    assert driver.said[-1] == "off"
    assert driver.asked == (64, 48, b"YU12", 1, 64, PICTURE.size, 8, 0)
    assert driver.rate == (1001, 30_000)
    assert output.name == f"{driver.path} (A camera)"
    assert driver.path.read_bytes() == PICTURE.tobytes()


def test_the_format_that_the_driver_gives_is_taken(driver: LoopbackDriver) -> None:
    driver.held, driver.padding = (640, 480, b"YU12"), 32
    output = opened(driver)
    output.close()
    assert (output.width, output.height, output.stride) == (640, 480, 672)


@pytest.mark.parametrize("held", [(64, 48, b"YUYV"), (63, 48, b"YU12"), (64, 47, b"YU12")])
def test_a_format_that_readers_hold_is_refused(
    held: tuple[int, int, bytes], driver: LoopbackDriver
) -> None:
    driver.held = held
    with pytest.raises(SinkError, match=r"programs that read it hold it at .*; close them first"):
        opened(driver)


def test_drivers_that_start_with_the_first_picture_are_let_do_so(driver: LoopbackDriver) -> None:
    driver.streams = False
    output = opened(driver)
    assert output.send(PICTURE)
    output.close()


def test_a_rate_that_the_driver_does_not_want_is_no_failure(driver: LoopbackDriver) -> None:
    driver.refusals = {"rate": errno.ENOTTY}
    opened(driver, Fraction(25)).close()


def test_a_device_that_another_program_left_unusable_is_freed(driver: LoopbackDriver) -> None:
    driver.sides = 0
    opened(driver).close()
    assert driver.said[:3] == ["ask", "on", "ask"]


def test_a_device_that_stays_unusable_is_refused(driver: LoopbackDriver) -> None:
    driver.sides, driver.refusals = 0, {"on": errno.EPERM}
    with pytest.raises(SinkError, match="another program writes to it"):
        opened(driver)
    assert driver.said == ["ask", "on", "ask"]


@pytest.mark.parametrize(
    ("name", "refusal", "says"),
    [
        ("format", errno.EBUSY, r"another program writes to it; end that one \(sudo fuser -v /"),
        ("on", errno.EBUSY, "another program writes to it"),
        ("ask", errno.ENOTTY, "not a video device, or one that takes no YUV 4:2:0"),
        ("format", errno.EINVAL, "not a video device, or one that takes no YUV 4:2:0"),
        ("ask", errno.EIO, "cannot be written: refused"),
    ],
)
def test_refusals_are_explained(name: str, refusal: int, says: str, driver: LoopbackDriver) -> None:
    driver.refusals = {name: refusal}
    with pytest.raises(SinkError, match=f"^{driver.path}: {says}"):
        opened(driver)


def test_a_writing_program_is_seen_by_the_side_that_is_left(driver: LoopbackDriver) -> None:
    driver.sides = CAPTURE
    with pytest.raises(SinkError, match="another program writes to it"):
        opened(driver)


def test_a_webcam_takes_no_pictures(driver: LoopbackDriver) -> None:
    driver.sides, driver.driver = CAPTURE, b"uvcvideo"
    with pytest.raises(SinkError, match=f"A camera is a camera that gives pictures .*{MODPROBE}"):
        opened(driver)


def test_a_device_that_is_missing(driver: LoopbackDriver) -> None:
    driver.path.unlink()
    with pytest.raises(SinkError, match=f"video10: no such device; .*{MODPROBE}"):
        opened(driver)


def test_a_device_without_permission(
    driver: LoopbackDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.open", raising(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(SinkError, match="no permission; add your user to the group 'video'"):
        opened(driver)


def raising(error: Exception) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise error

    return fail


def test_our_own_runs_keep_out_of_each_others_way(driver: LoopbackDriver) -> None:
    output = opened(driver)
    with pytest.raises(SinkError, match="another program writes to it"):
        opened(driver)
    output.close()
    opened(driver).close()


def test_a_picture_that_comes_too_early_is_left_out(
    driver: LoopbackDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = opened(driver)
    with monkeypatch.context() as patched:
        patched.setattr("os.write", raising(BlockingIOError(errno.EAGAIN, "not ready")))
        assert not output.send(PICTURE)
    assert output.send(PICTURE)
    output.close()


def test_a_device_that_vanishes_is_closed_all_the_same(
    driver: LoopbackDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = opened(driver)
    driver.refusals = {"off": errno.ENODEV}
    with monkeypatch.context() as patched:
        patched.setattr("os.write", raising(OSError(errno.ENODEV, "No such device")))
        with pytest.raises(SinkError, match="cannot be written: No such device"):
            output.send(PICTURE)
    output.close()


def device(driver: LoopbackDriver) -> VideoDevice:
    return VideoDevice(str(driver.path), "A camera", "v4l2 loopback", outputs=True)


def test_the_first_free_device_is_taken(driver: LoopbackDriver, tmp_path: Path) -> None:
    webcam = VideoDevice("/dev/video0", "Webcam", "uvcvideo", captures=True)
    other = LoopbackDriver(tmp_path / "video11")
    found = [webcam, device(driver), device(other)]

    first = first_free(SIZE, devices=found, ioctl=driver.ioctl)
    second = first_free(SIZE, devices=found, ioctl=other.ioctl)
    with pytest.raises(SinkError, match=r"none is free: .*video10: another .*; .*video11: another"):
        first_free(SIZE, devices=found, ioctl=driver.ioctl)
    first.close()
    second.close()
    assert (first.name, second.name) == (
        f"{driver.path} (A camera)",
        f"{other.path} (A camera)",
    )


def test_without_any_device_the_command_that_makes_one_is_told() -> None:
    webcam = VideoDevice("/dev/video0", "Webcam", "uvcvideo", captures=True)
    with pytest.raises(SinkError, match=f"^virtual-camera: there is none; load one: {MODPROBE}"):
        first_free(SIZE, devices=[webcam])


def test_devices_without_permission_are_named() -> None:
    locked = VideoDevice("/dev/video10", problem="Permission denied")
    with pytest.raises(SinkError, match=r"/dev/video10: no permission; add your user"):
        first_free(SIZE, devices=[locked])


def test_a_device_with_both_sides_is_free(driver: LoopbackDriver) -> None:
    driver.sides = CAPTURE | OUTPUT
    opened(driver).close()
