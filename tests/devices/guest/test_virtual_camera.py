"""The sink `virtual-camera` on v4l2loopback, read by FFmpeg as by any other program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from engine.face import Image
from stream.doctor.virtual_camera import judge, loopback
from stream.errors import SinkError
from stream.frame import Frame
from stream.sinks import Sink, SinkSettings, open_sink
from stream.sinks.v4l2_output import V4L2Output
from stream.sources import SourceSettings, open_source, v4l2
from tests import barcode
from tests.devices.guest.conftest import FIRST, SECOND, codes, info_of, loopback_version, showing

SIZE = (160, 120)
VERSION = loopback_version()


def camera(device: str = FIRST, image: Image | None = None, rate: Fraction | None = None) -> Sink:
    image = barcode.picture(0, *SIZE) if image is None else image
    url = f"virtual-camera:{device}" if device else "virtual-camera"
    return open_sink(url, replace(info_of(image), rate=rate), SinkSettings())


@contextmanager
def reader(device: str = FIRST) -> Iterator[av.container.InputContainer]:
    with av.open(device, format="v4l2", timeout=20) as container:
        yield container


def next_pictures(container: av.container.InputContainer, count: int) -> list[Image]:
    frames = container.decode(video=0)
    return [next(frames).to_ndarray(format="bgr24") for _ in range(count)]


def numbers(container: av.container.InputContainer, count: int = 4) -> list[int]:
    return [barcode.read(image) for image in next_pictures(container, count)]


def sides(device: str = FIRST) -> tuple[bool, bool]:
    """Whether the device takes and gives pictures."""
    (found,) = [one for one in v4l2.devices() if one.path == device]
    return found.outputs, found.captures


def test_another_program_sees_the_pictures(exclusive: bool, pictures: list[Image]) -> None:
    with camera(rate=Fraction(20)) as sink, showing(sink, pictures), reader() as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.pix_fmt) == (*SIZE, "yuv420p")
        assert stream.average_rate == 20
        shown = numbers(container, 12)
    assert shown == sorted(set(shown)), "each picture once, in order"


def test_colors_are_those_of_a_webcam(exclusive: bool) -> None:
    colors = np.array([(40, 60, 220), (200, 80, 30), (128, 128, 128), (16, 235, 90)], np.uint8)
    image = np.ascontiguousarray(np.repeat(colors, 40, axis=0)[None].repeat(120, axis=0))
    wanted = SourceSettings(camera_width=640, camera_height=480)  # not what it has
    with camera() as sink, showing(sink, [image]), open_source(FIRST, wanted) as source:
        seen = next(iter(source)).image
    assert np.abs(seen.astype(int) - image)[:, 10::40].max() <= 2


def test_the_camera_can_be_opened_again_and_again(exclusive: bool, pictures: list[Image]) -> None:
    for _ in range(4):
        assert sides() == (True, not exclusive)
        with camera() as sink, showing(sink, pictures), reader() as container:
            numbers(container, 2)
            assert sides() == (not exclusive, True), "programs list it while it is written"
    assert sides() == (True, not exclusive)


@pytest.mark.skipif(VERSION >= (0, 14), reason="v4l2loopback has one reader since 0.14")
def test_two_programs_read_at_once(exclusive: bool, pictures: list[Image]) -> None:
    with camera() as sink, showing(sink, pictures), reader() as one, reader() as other:
        for _ in range(3):
            assert numbers(one, 2)
            assert numbers(other, 2)


def test_pictures_of_another_size_are_letterboxed(exclusive: bool) -> None:
    wide = [np.full((60, 160, 3), 200, np.uint8)]
    with camera() as sink, showing(sink, wide), reader() as container:
        image = next_pictures(container, 2)[-1]
    assert image.shape == (120, 160, 3)
    assert image[:28].max() < 20, "black above"
    assert image[-28:].max() < 20, "black below"
    assert image[34:-34].min() > 190


def test_odd_sizes_get_one_more_row_and_column(exclusive: bool) -> None:
    odd = codes((161, 121), 100)
    with camera(image=odd[0]) as sink, showing(sink, odd), reader() as container:
        image = next_pictures(container, 1)[0]
    assert image.shape == (122, 162, 3)
    assert barcode.read(image[:121, :161]) < 100


def test_a_reader_that_stays_sees_the_next_writer_in_its_own_size(
    exclusive: bool, pictures: list[Image]
) -> None:
    with camera() as sink, showing(sink, pictures):
        container = av.open(FIRST, format="v4l2", timeout=20)
        numbers(container, 2)
    with container:
        large = codes((320, 240), 100)
        with camera(image=large[0]) as sink, showing(sink, large):
            # The reader may still hold pictures of the writer before.
            images = next_pictures(container, 12)
        assert {image.shape for image in images} == {(120, 160, 3)}
        assert barcode.read(images[-1]) < 100


def test_what_ffmpeg_leaves_behind_is_taken_over(exclusive: bool, pictures: list[Image]) -> None:
    with av.open(FIRST, "w", format="v4l2") as other:
        stream = other.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = (*SIZE, "yuv420p")
        for image in pictures[:3]:
            other.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
    with camera() as sink, showing(sink, pictures), reader() as container:
        assert numbers(container)


def test_what_a_killed_writer_leaves_behind_is_taken_over(
    exclusive: bool, pictures: list[Image]
) -> None:
    killed = V4L2Output(FIRST, SIZE)
    killed.send(np.zeros(160 * 120 * 3 // 2, np.uint8))
    os.close(killed._descriptor)  # all that the kernel does for it
    with camera() as sink, showing(sink, pictures), reader() as container:
        assert numbers(container)


def test_a_second_writer_is_refused_and_the_next_free_device_found(
    exclusive: bool, pictures: list[Image]
) -> None:
    with camera() as first, showing(first, pictures):
        with pytest.raises(SinkError, match=r"/dev/video10: another program writes to it; end"):
            camera().__enter__()
        with camera("") as second:
            second.write(Frame(pictures[7], 0, 0, 0))
            assert list(second.health()) == [f"{SECOND} (Two)"]
            with pytest.raises(SinkError, match=r"none is free: .*video10: .*; .*video11: "):
                camera("").__enter__()
        with reader() as container:
            assert numbers(container), "the first writer goes on"


def test_a_format_that_a_reader_holds_is_refused(exclusive: bool, pictures: list[Image]) -> None:
    with av.open(FIRST, "w", format="v4l2") as other:
        stream = other.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = (*SIZE, "yuyv422")
        for image in pictures[:8]:
            other.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        held = av.open(FIRST, format="v4l2", timeout=20)
    # 0.12 cannot tell a writer that went without a word, as FFmpeg does, from one that stays.
    unclear = exclusive and VERSION < (0, 14)
    says = "another program" if unclear else "hold it at 160x120 YUYV, expected .* YU12; close"
    with held, pytest.raises(SinkError, match=says):
        camera().__enter__()


def test_a_device_that_does_not_exist(exclusive: bool) -> None:
    with pytest.raises(SinkError, match=r"/dev/video99: no such device; .*sudo modprobe"):
        camera("/dev/video99").__enter__()


def test_the_doctor_tells_free_devices_from_written_ones(
    exclusive: bool, pictures: list[Image]
) -> None:
    def lines() -> dict[str, str]:
        devices = v4l2.devices()
        found = judge("linux", devices, loopback(devices))
        return {finding.subject: f"{finding.verdict} {finding.says}" for finding in found}

    with camera() as sink, showing(sink, pictures), reader() as container:
        said = lines()
        assert said[FIRST] == "warn One: another program writes to it"
        assert said[SECOND] == "ok Two: takes pictures"
        assert ("exclusive_caps" in said.get("virtual camera", "")) != exclusive
        assert numbers(container), "nobody was disturbed"
    assert lines()[FIRST] == "ok One: takes pictures"
