from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
import pyvirtualcam.camera

from stream.errors import SinkError
from stream.sinks.obs_output import ObsOutput
from tests.virtual_cameras import ObsBackend

SIZE = (64, 48)


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch) -> type[ObsBackend]:
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"obs": ObsBackend})
    monkeypatch.setattr(ObsBackend, "opened", [])
    monkeypatch.setattr(ObsBackend, "failure", "")
    return ObsBackend


@pytest.mark.parametrize(
    ("device", "name"), [("", "OBS Virtual Camera"), ("Unity Video Capture", "Unity Video Capture")]
)
def test_pictures_go_to_the_camera_as_yuv420(device: str, name: str) -> None:
    output = ObsOutput(device, SIZE, Fraction(30_000, 1001))
    picture = np.arange(64 * 48 * 3 // 2, dtype=np.uint8)
    assert output.send(picture)
    output.close()
    (camera,) = ObsBackend.opened
    assert (output.name, output.width, output.height, output.stride) == (name, *SIZE, 64)
    assert (camera.size, camera.fourcc) == (SIZE, b"I420")
    assert camera.fps == pytest.approx(29.97, abs=0.001)
    assert np.array_equal(camera.pictures[0], picture)
    assert camera.closed


def test_without_a_rate_a_usual_one_is_announced() -> None:
    ObsOutput("", SIZE, None).close()
    assert ObsBackend.opened[0].fps == 30


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        ("OBS Virtual Camera device not found! Did you install OBS?", "there is none; install OBS"),
        ("OBS Virtual Camera is not installed in your system.", "there is none; install OBS"),
        ("virtual camera output could not be started", "does not open .*is OBS or another program"),
        ("Couldn't start stream", "does not open .*is OBS or another program using it"),
    ],
)
def test_refusals_are_explained(
    failure: str, says: str, backend: type[ObsBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "failure", failure)
    with pytest.raises(SinkError, match=f"^virtual-camera: .*{says}") as refused:
        ObsOutput("", SIZE, None)
    assert "\n" not in str(refused.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match="pip install pyvirtualcam"):
        ObsOutput("", SIZE, None)
