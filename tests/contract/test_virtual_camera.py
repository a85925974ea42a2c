"""What a virtual camera promises, on Linux and through pyvirtualcam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pyvirtualcam.camera

from engine.face import Image
from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.sinks.obs_output import ObsOutput
from stream.sinks.v4l2_output import V4L2Output
from stream.sinks.virtual_camera import Connect, VirtualCamera
from tests import barcode
from tests.contract import media
from tests.virtual_cameras import LoopbackDriver, ObsBackend


@dataclass(frozen=True)
class System:
    """One kind of camera.

    Attributes:
        name: that people see.
        connect: opens it.
        shown: pictures that a reader has seen, given their size.
        rate: that it was told.
        released: nobody has it open.
        lose: nothing can be written any more.
    """

    name: str
    connect: Connect
    shown: Callable[[int, int], list[Image]]
    rate: Callable[[], Fraction]
    released: Callable[[], bool]
    lose: Callable[[], None]


@pytest.fixture(params=["v4l2", "v4l2 with padded rows", "pyvirtualcam"])
def system(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> System:
    if request.param == "pyvirtualcam":
        monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"obs": ObsBackend})
        monkeypatch.setattr(ObsBackend, "opened", opened := [])
        return System(
            "OBS Virtual Camera",
            partial(ObsOutput, ""),
            lambda _width, _height: opened[0].shown(),
            lambda: Fraction(opened[0].fps),
            lambda: opened[0].closed,
            lambda: monkeypatch.setattr(ObsBackend, "failure", "the device is gone"),
        )
    pytest.importorskip("fcntl", reason="V4L2 is a part of Linux")
    driver = LoopbackDriver(tmp_path / "video10", padding=32 if "padded" in request.param else 0)

    def lose() -> None:
        def gone(*_: object) -> int:
            raise OSError(19, "No such device")

        monkeypatch.setattr("os.write", gone)

    return System(
        f"{driver.path} (A camera)",
        partial(V4L2Output, str(driver.path), ioctl=driver.ioctl),
        driver.shown,
        lambda: Fraction(driver.rate[1], driver.rate[0]),
        lambda: driver.said[-1] == "off",
        lose,
    )


def camera(system: System, info: SourceInfo | None = None) -> VirtualCamera:
    return VirtualCamera(info or media.info_of(), system.connect)


@pytest.mark.parametrize("failing", [False, True], ids=["finished", "after an error"])
def test_every_picture_is_shown_and_the_camera_given_back(system: System, failing: bool) -> None:
    frames = media.frames_at(media.uneven(9))
    before = [frame.image.copy() for frame in frames]
    sink = camera(system, media.info_of(rate=Fraction(25)))
    assert sink.leaky
    assert [health.state for health in sink.health().values()] == ["connecting"]
    if failing:
        with pytest.raises(KeyError, match="elsewhere"), sink:
            for frame in frames:
                sink.write(frame)
            raise KeyError("elsewhere")
    else:
        media.write_all(sink, frames)

    shown = system.shown(96, 64)
    assert [barcode.read(image) for image in shown] == list(range(9))
    for frame, image, seen in zip(frames, before, shown, strict=True):
        assert np.array_equal(frame.image, image), "frames are shared, and stay as they are"
        assert np.abs(seen[40:].astype(int) - image[40:]).mean() < 3
    assert system.rate() == 25
    assert system.released()
    health = sink.health()[system.name]
    assert (health.state, health.sent, health.dropped) == ("failed" if failing else "ended", 9, 0)


def test_colors_are_those_of_bt601_in_limited_range(system: System) -> None:
    colors = np.array([(40, 60, 220), (200, 80, 30), (128, 128, 128), (16, 235, 90)], np.uint8)
    image = np.repeat(colors, 320, axis=0)[None].repeat(720, axis=0)
    media.write_all(camera(system, media.info_of((1280, 720))), [Frame(image, 0, 0, 0)])
    (seen,) = system.shown(1280, 720)
    assert np.abs(seen.astype(int) - image).max() <= 2, "of HD pictures, too"


def test_odd_sizes_get_one_more_row_and_column(system: System) -> None:
    gray = np.random.default_rng(1).integers(0, 256, (63, 95, 1), np.uint8)
    image = np.repeat(gray, 3, axis=2)
    media.write_all(camera(system, media.info_of((95, 63))), [Frame(image, 0, 0, 0)])
    (seen,) = system.shown(96, 64)
    assert np.abs(seen[:63, :95].astype(int) - image).max() <= 2, "nothing is scaled"
    assert np.array_equal(seen[:, -1], seen[:, -2]), "the edge again"
    assert np.array_equal(seen[-1], seen[-2])


def test_later_sizes_are_letterboxed_into_the_first(system: System) -> None:
    frames = [Frame(barcode.picture(number, 192, 64), 0, number, 0) for number in (1, 2)]
    media.write_all(camera(system), [*frames, Frame(barcode.picture(3), 0, 3, 0)])
    wide, _, last = system.shown(96, 64)
    assert barcode.read(wide[16:48]) == 1
    assert wide[:15].max() < 20, "black above"
    assert wide[-15:].max() < 20, "black below"
    assert barcode.read(last) == 3, "nothing of the borders stays"


def test_a_lost_camera_ends_the_sink_and_can_be_left(system: System) -> None:
    with (
        pytest.raises(SinkError, match=r"cannot be written: .*(No such|is gone)"),
        camera(system) as sink,
    ):
        system.lose()
        sink.write(Frame(barcode.picture(0), 0, 0, 0))
    assert system.released()


def test_it_can_be_opened_again(system: System) -> None:
    sink = camera(system)
    for _ in range(3):
        media.write_all(sink, [Frame(barcode.picture(5), 0, 0, 0)])
    assert [health.state for health in sink.health().values()] == ["ended"]


def test_the_smallest_picture_gets_an_even_size(system: System) -> None:
    media.write_all(
        camera(system, media.info_of((1, 1))), [Frame(np.full((1, 1, 3), 200, np.uint8), 0, 0, 0)]
    )
    (seen,) = system.shown(2, 2)
    assert seen.min() > 195
