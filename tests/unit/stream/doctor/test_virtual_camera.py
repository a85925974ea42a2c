from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stream.doctor.virtual_camera import Loopback, judge
from stream.findings import Finding
from stream.sources.v4l2 import VideoDevice

DEVICE = VideoDevice("/dev/video10", "facestream", "v4l2 loopback", outputs=True)
GOOD = Loopback(installed=True, loaded=True, exclusive=(True,), trials=(("/dev/video10", ""),))
BUSY = "/dev/video10: another program writes to it; end that one (sudo fuser -v /dev/video10)"


def line(
    loopback: Loopback, devices: Sequence[VideoDevice] = (DEVICE,), system: str = "linux"
) -> Finding:
    (found,) = judge(system, devices, loopback)
    return found


def test_a_camera_that_was_opened_takes_pictures() -> None:
    found = line(GOOD)
    assert (found.subject, found.verdict) == ("/dev/video10", "ok")
    assert found.says == "facestream: takes pictures"


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_have_that_of_obs(system: str) -> None:
    assert "OBS Studio 30" in line(Loopback(), (), system).says


@pytest.mark.parametrize(
    ("loopback", "says", "fix"),
    [
        (Loopback(), "not installed", "apt-get install -y v4l2loopback-dkms && sudo modprobe"),
        (Loopback(installed=True), "not loaded", 'exclusive_caps=1 card_label="facestream"'),
        (Loopback(installed=True, secure_boot=True), "Secure Boot", "mokutil --import"),
        (Loopback(modules=False), "loads no modules", "on the host: sudo modprobe"),
    ],
)
def test_a_module_that_is_not_loaded(loopback: Loopback, says: str, fix: str) -> None:
    found = line(loopback, ())
    assert found.verdict == "note"
    assert says in found.says
    assert fix in found.fix


def test_a_camera_that_browsers_do_not_list() -> None:
    warning, found = judge("linux", (DEVICE,), replace(GOOD, exclusive=(False,)))
    assert (warning.verdict, found.verdict) == ("warn", "ok")
    assert warning.fix.startswith("sudo modprobe -r v4l2loopback && sudo modprobe")


def test_a_camera_in_use() -> None:
    found = line(replace(GOOD, trials=(("/dev/video10", BUSY),)))
    assert found.verdict == "warn"
    assert found.says == "facestream: another program writes to it"
    assert "fuser" in found.fix


def test_a_module_without_a_device() -> None:
    assert "no device" in line(replace(GOOD, trials=()), ()).says
