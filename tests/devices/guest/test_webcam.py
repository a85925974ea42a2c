"""Cameras as sources, on vivid: the kernel's webcam made of software, with silent changes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from stream.devices import list_devices
from stream.errors import SinkError, SourceError
from stream.sinks.v4l2_output import V4L2Output
from stream.sources import SourceSettings, open_source
from tests.devices.guest.conftest import SECOND, WEBCAM, loaded, virtual_cameras

DRIVER = Path("/sys/bus/platform/drivers/vivid")
VGA = SourceSettings(camera_width=640, camera_height=480, camera_format="yuyv422")


@pytest.fixture(scope="module", autouse=True)
def webcam() -> Iterator[None]:
    with loaded("vivid", "n_devs=1", "vid_cap_nr=20", "node_types=0x1"):
        yield


def unplug() -> None:
    (DRIVER / "unbind").write_text("vivid.0", encoding="ascii")


def plug_in() -> None:
    (DRIVER / "bind").write_text("vivid.0", encoding="ascii")


@pytest.fixture
def plugged_in_again() -> Iterator[None]:
    """Leave the camera as it was found, when nobody holds the old one any more."""
    yield
    if not Path(WEBCAM).exists():
        plug_in()


@pytest.mark.parametrize(
    ("asked", "given"),
    [((640, 480), (640, 480)), ((1000, 500), (640, 480)), ((300, 200), (320, 180))],
)
def test_the_size_that_the_driver_gives_is_read_back(
    asked: tuple[int, int], given: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    settings = SourceSettings(
        camera_width=asked[0], camera_height=asked[1], camera_format="yuyv422"
    )
    with open_source(WEBCAM, settings) as source:
        frame = next(iter(source))
    assert (source.info.width, source.info.height) == given
    assert frame.image.shape == (given[1], given[0], 3)
    assert frame.image.std() > 20, "a test picture, no noise and no gray"
    changed = asked != given
    assert (f"asked for {asked[0]}x{asked[1]} at 30 frames" in caplog.text) >= changed


def test_the_rate_that_the_driver_gives_is_read_back() -> None:
    with open_source(WEBCAM, VGA) as source:
        frames = list(islice(source, 5))
    assert source.info.live
    assert source.info.rate == 25, "asked for 30, which vivid has not at this size"
    steps = np.diff([frame.pts_ns for frame in frames])
    assert [frame.seq for frame in frames] == list(range(5))
    # The driver's own clock, which emulation does not bend; lost pictures leave gaps.
    assert np.allclose(steps % 40_000_000, 0, atol=2_000_000) or steps.min() > 0


def test_another_format_is_taken_if_the_camera_has_no_jpeg() -> None:
    with open_source(WEBCAM, SourceSettings(camera_width=320, camera_height=180)) as source:
        assert next(iter(source)).image.shape == (180, 320, 3)


def test_a_format_that_the_camera_lacks_is_refused() -> None:
    settings = SourceSettings(camera_format="mjpeg")
    with pytest.raises(SourceError, match=r"gives no picture \(tried mjpeg\): .*lack this format"):
        open_source(WEBCAM, settings).__enter__()


def test_it_is_listed_with_formats_sizes_and_rates() -> None:
    with virtual_cameras(exclusive=True):
        said = CliRunner().invoke(list_devices, ["--json"], standalone_mode=False)
        shown = CliRunner().invoke(list_devices, standalone_mode=False).output
    listed = {device["path"]: device for device in json.loads(said.output)["video"]}
    webcam, virtual = listed[WEBCAM], listed[SECOND]
    assert (webcam["driver"], webcam["captures"], webcam["outputs"]) == ("vivid", True, False)
    assert (virtual["name"], virtual["captures"], virtual["outputs"]) == ("Two", False, True)
    modes = {(mode["format"], mode["width"], mode["height"]): mode for mode in webcam["modes"]}
    assert modes["YUYV", 640, 480]["rates_hz"][0] == 25
    assert ("YUYV", 1280, 720) in modes
    assert f"takes pictures as virtual-camera:{SECOND}" in " ".join(shown.split())


def test_a_camera_is_no_virtual_camera() -> None:
    with pytest.raises(SinkError, match=r"/dev/video20: vivid.* is a camera that gives pictures"):
        V4L2Output(WEBCAM, (320, 180))


def test_an_unplugged_camera_is_a_loss(plugged_in_again: None) -> None:
    settings = SourceSettings(camera_width=320, camera_height=180, reconnect=False)
    with open_source(WEBCAM, settings) as source:
        frames = iter(source)
        next(frames)
        unplug()
        began_s = time.monotonic()
        with pytest.raises(SourceError, match="/dev/video20: source lost: "):
            for _ in frames:
                pass
        # Generous, as emulation is slow; the timeout alone would be 5 s.
        assert time.monotonic() - began_s < 4


def test_a_camera_that_is_plugged_in_again_goes_on(plugged_in_again: None) -> None:
    settings = SourceSettings(camera_width=320, camera_height=180)
    with open_source(WEBCAM, settings) as source:
        frames = iter(source)
        before = next(frames)

        def plug_in_when_missed() -> None:
            while source.health()[WEBCAM].state != "lost":
                time.sleep(0.02)
            plug_in()

        unplug()
        hand = threading.Thread(target=plug_in_when_missed)
        hand.start()
        after = [next(frames) for _ in range(12)]
        hand.join()
        health = source.health()[WEBCAM]
    numbers = [before.seq, *(frame.seq for frame in after)]
    times = [before.pts_ns, *(frame.pts_ns for frame in after)]
    assert numbers == sorted(set(numbers))
    assert times == sorted(set(times))
    assert (health.state, health.losses) == ("running", 1)
    assert after[-1].image.shape == before.image.shape
