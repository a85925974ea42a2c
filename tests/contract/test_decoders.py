"""The same contract for each decoder that works here, and one clear error for the others."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from stream.errors import SourceError
from stream.frame import Frame
from stream.sources import Source, SourceSettings, nvdec, open_source
from stream.sources.container import ContainerSource
from stream.sources.settings import Decoder
from stream.timebase import to_ns
from tests import barcode
from tests.contract import media

DECODERS: list[Decoder] = ["auto", "cpu", "nvdec"]
FULL, LIMITED = 2, 1
CLIPS = {
    "B-frames": {"options": {"bf": "2", "g": "12"}, "sound_s": 0.5},
    "HD colors": {"colors": {"colorspace": 1, "color_range": LIMITED}},
    "full range": {"pix_fmt": "yuvj420p", "colors": {"colorspace": 6, "color_range": FULL}},
    "on its side": {"turn": 90},
    "hevc": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
}


def everything(source: Source) -> list[Frame]:
    with source:
        return list(source)


def opened(path: Path, decoder: Decoder) -> Source:
    return open_source(str(path), SourceSettings(decoder=decoder))


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("decoder", DECODERS)
def test_every_decoder_gives_the_same_or_says_why_not(
    decoder: Decoder, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvdec, "_LARGE_PIXELS", 1)  # `auto` has something to decide
    ticks = media.uneven(14)
    images = [barcode.picture(number, 160, 96) for number in range(len(ticks))]
    path = media.write_video(tmp_path / "clip.mov", ticks, pictures=images, **CLIPS[clip])
    if decoder == "nvdec" and nvdec.obstacle():
        with pytest.raises(SourceError, match=r"NVDEC cannot decode it: .*; set input\.decoder"):
            opened(path, decoder).__enter__()
        return
    source = opened(path, decoder)
    frames = everything(source)
    assert [frame.pts_ns for frame in frames] == [to_ns(tick, media.TIME_BASE) for tick in ticks]
    if clip != "on its side":
        assert barcode.numbered(frames) == list(range(len(ticks)))
    size = (source.info.height, source.info.width, 3)
    expected = everything(opened(path, "cpu"))
    for frame, by_cpu in zip(frames, expected, strict=True):
        assert frame.image.shape == size
        assert frame.image.flags.c_contiguous
        assert frame.image.flags.writeable
        assert np.array_equal(frame.image, by_cpu.image), "decoding is exact by its standards"
        assert frame.audio == by_cpu.audio


def interleaved(planar: Path) -> Path:
    """The same file with its pictures as nv12, which is what hardware decodes to."""
    path = planar.with_name("interleaved.mkv")
    with av.open(str(planar)) as source, av.open(str(path), "w") as output:
        old = source.streams.video[0].codec_context
        video = output.add_stream("rawvideo", rate=media.RATE)
        new = video.codec_context
        new.width, new.height, new.pix_fmt = old.width, old.height, "nv12"
        new.colorspace, new.color_range = old.colorspace, old.color_range
        new.time_base = video.time_base = media.TIME_BASE
        for frame in source.decode(video=0):
            output.mux(video.encode(frame.reformat(format="nv12")))
        output.mux(video.encode(None))
    return path


@pytest.mark.parametrize("tags", [(1, LIMITED), (5, FULL), (9, LIMITED)])
def test_pictures_as_hardware_hands_them_over_look_the_same(
    tags: tuple[int, int], tmp_path: Path
) -> None:
    planar = media.write_video(
        tmp_path / "planar.mkv",
        media.STEADY[:5],
        pictures=[barcode.picture(number) for number in range(5)],
        codec="rawvideo",
        colors={"colorspace": tags[0], "color_range": tags[1]},
    )
    paths = [planar, interleaved(planar)]
    for path, pix_fmt in zip(paths, ("yuv420p", "nv12"), strict=True):
        with av.open(str(path)) as file:
            frame = next(file.decode(video=0))
            assert (frame.format.name, frame.colorspace, frame.color_range) == (pix_fmt, *tags)
    expected, got = (everything(opened(path, "cpu")) for path in paths)
    assert barcode.numbered(got) == list(range(5))
    for frame, wanted in zip(got, expected, strict=True):
        assert frame.pts_ns == wanted.pts_ns
        assert np.array_equal(frame.image, wanted.image)


@pytest.fixture
def useless_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that opens but decodes nothing: hardware of another kind, by PyAV's own paths."""
    monkeypatch.setattr(nvdec, "obstacle", lambda: "")
    monkeypatch.setattr(nvdec, "accelerator", lambda: HWAccel("qsv"))
    monkeypatch.setattr(nvdec, "_LARGE_PIXELS", 1)


@pytest.mark.usefixtures("useless_device")
def test_what_nvdec_does_not_know_is_an_error_when_asked_for(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    with pytest.raises(SourceError, match="h264 High, yuv420p, 96x64 is beyond") as caught:
        opened(path, "nvdec").__enter__()
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("useless_device")
@pytest.mark.parametrize("live", [False, True], ids=["file", "server"])
def test_what_nvdec_does_not_know_is_left_to_the_processor_by_auto(
    live: bool, tmp_path: Path
) -> None:
    media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    with media.served(tmp_path) as url:
        path = f"{url}/clip.mp4" if live else str(tmp_path / "clip.mp4")
        frames = everything(open_source(path, SourceSettings(decoder="auto")))
    assert barcode.numbered(frames) == list(range(5))


@pytest.mark.usefixtures("useless_device")
@pytest.mark.parametrize(("reopens", "openings"), [(True, 3), (False, 1)])
def test_auto_tries_only_where_nothing_is_lost_and_leaves_nothing_open(
    reopens: bool, openings: int, tmp_path: Path
) -> None:
    path = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    opened: list[InputContainer] = []

    def connect(accelerator: HWAccel | None) -> InputContainer:
        opened.append(av.open(path, hwaccel=accelerator))
        return opened[-1]

    with ContainerSource("clip", SourceSettings(), connect, live=False, reopens=reopens):
        assert len(opened) == openings
        for container in opened[:-1]:
            with pytest.raises(AssertionError, match="not open"):
                container.seek(0)
        opened[-1].seek(0)


@pytest.mark.usefixtures("useless_device")
def test_a_stream_that_nvdec_follows_no_more_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    check, calls = nvdec.check_decoded, []

    def known_at_first(*stream: object) -> None:
        calls.append(stream)
        if len(calls) > 3:
            check(*stream)  # type: ignore[arg-type]

    monkeypatch.setattr(nvdec, "check_decoded", known_at_first)
    frames = []
    with opened(path, "nvdec") as source, pytest.raises(SourceError, match="is beyond"):
        for frame in source:
            frames.append(frame)  # noqa: PERF402 - what came before the error counts
    assert barcode.numbered(frames) == [0, 1]


def test_small_pictures_are_not_opened_twice_by_auto(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(nvdec, "obstacle", lambda: asked.append(1) or "")
    path = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    assert len(everything(opened(path, "auto"))) == 5
    assert not asked
