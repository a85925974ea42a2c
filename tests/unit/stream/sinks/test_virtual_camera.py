from __future__ import annotations

import pytest
import pyvirtualcam.camera

from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.sinks import SinkSettings, open_sink
from stream.sinks.virtual_camera import VirtualCamera
from stream.sources import v4l2
from tests.virtual_cameras import ObsBackend

INFO = SourceInfo(url="0", width=64, height=48)


def opened(url: str) -> VirtualCamera:
    sink = open_sink(url, INFO, SinkSettings())
    assert isinstance(sink, VirtualCamera)
    return sink.__enter__()


@pytest.mark.parametrize("system", ["win32", "darwin"])
@pytest.mark.parametrize("device", ["", "OBS Virtual Camera"])
def test_other_systems_use_pyvirtualcam(
    system: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"obs": ObsBackend})
    monkeypatch.setattr(ObsBackend, "opened", [])
    sink = opened(f"virtual-camera:{device}" if device else "virtual-camera")
    sink.__exit__(None, None, None)
    assert ObsBackend.opened[0].wanted == (device or None)


def test_linux_opens_the_device_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(SinkError, match="/dev/nothing: no such device"):
        opened("virtual-camera:/dev/nothing")


def test_linux_looks_for_one_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(v4l2, "devices", list)
    with pytest.raises(SinkError, match="there is none; load one"):
        opened("virtual-camera")


def test_a_camera_that_never_opened_can_be_left() -> None:
    sink = open_sink("virtual-camera", INFO, SinkSettings())
    sink.__exit__(None, None, None)
