from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from stream.frame import Frame
from stream.sources import Source, SourceSettings, container, open_source
from stream.sources.container import ContainerSource
from stream.timebase import to_ns
from tests import barcode
from tests.contract import media

WHOLE = SourceSettings()
MS = Fraction(1, 1000)


def everything(source: Source) -> list[Frame]:
    with source:
        return list(source)


@contextmanager
def make_source(kind: str, tmp_path: Path) -> Iterator[tuple[Source, list[int]]]:
    """A source of bar codes 0, 1, 2 ... and the exact times of its frames."""
    uneven = media.uneven(30)
    in_ns = [to_ns(tick, media.TIME_BASE) for tick in uneven]
    steady = [to_ns(k, Fraction(1, 25)) for k in range(12)]
    suffix = kind.rpartition("-")[2]
    path = tmp_path / f"clip.{suffix}"
    if kind == "barcode":
        yield barcode.BarcodeSource(uneven), in_ns
    elif kind == "folder":
        folder = media.folder_of_pictures(tmp_path / "shots", 12)
        yield open_source(str(folder), WHOLE), steady
    elif kind == "still":
        cv2.imwrite(str(tmp_path / "one.png"), barcode.picture(0))
        yield open_source(str(tmp_path / "one.png"), WHOLE), [0]
    elif kind == "http-mp4":
        media.write_video(path, uneven)
        with media.served(tmp_path) as url:
            yield open_source(f"{url}/{path.name}", WHOLE), in_ns
    elif kind == "paced-mp4":
        ticks = uneven[:8]
        media.write_video(path, ticks)
        yield open_source(str(path), SourceSettings(paced=True)), in_ns[:8]
    elif suffix == "mkv":
        media.write_video(path, uneven, sound_s=1.5)
        first = media.video_times(path)[0]
        times = [time - first for time in media.video_times(path)]
        assert max(abs(a * 10**9 - b) for a, b in zip(times, in_ns, strict=True)) < 10**6
        yield open_source(str(path), WHOLE), [to_ns(round(t / MS), MS) for t in times]
    elif suffix == "avi":
        ticks = list(range(12))
        media.write_video(path, ticks, time_base=Fraction(1, 25), codec="mjpeg", pix_fmt="yuvj420p")
        yield open_source(str(path), WHOLE), steady
    elif suffix == "h264":
        media.write_video(path, media.STEADY[:12], options={"bf": "0"})
        yield open_source(str(path), WHOLE), steady
    else:
        options = {"bf": "2", "g": "12"}
        media.write_video(path, uneven, options=options, sound_s=0.0 if suffix == "ts" else 1.5)
        yield open_source(str(path), WHOLE), in_ns


KINDS = [
    "barcode",
    "mp4",
    "mov",
    "mkv",
    "ts",
    "avi",
    "h264",
    "http-mp4",
    "paced-mp4",
    "folder",
    "still",
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    with make_source(kind, tmp_path) as (source, times_ns):
        began_ns = time.monotonic_ns()
        with source:
            info = source.info
            frames = list(source)
        assert barcode.numbered(frames) == list(range(len(times_ns)))
        assert [frame.seq for frame in frames] == list(range(len(times_ns)))
        assert [frame.pts_ns for frame in frames] == times_ns
        captured = [frame.captured_ns for frame in frames]
        assert began_ns < captured[0]
        assert captured == sorted(captured)
        assert captured[-1] <= time.monotonic_ns()
        for frame in frames:
            assert frame.image.shape == (info.height, info.width, 3)
            assert frame.image.dtype == np.uint8
            assert frame.image.flags.c_contiguous
            assert frame.image.flags.writeable
            assert frame.faces == ()
        ticks = [Fraction(frame.pts_ns, 10**9) / info.time_base for frame in frames]
        assert all(abs(tick - round(tick)) < Fraction(1, 100) for tick in ticks)
        assert info.live == (kind == "paced-mp4")
        if kind not in {"mkv", "ts", "h264"}:  # they do not know it themselves
            assert info.frames == len(frames)
        assert "secret" not in info.url


@pytest.mark.parametrize("start_s", [0.3, 0.301, 0.64])
def test_start_and_duration_cut_to_the_frame(start_s: float, tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "clip.mp4", sound_s=1.6, options={"bf": "2", "g": "12"})
    source = open_source(str(path), SourceSettings(start_s=start_s, duration_s=0.4))
    frames = everything(source)
    times = [Fraction(k, 25) for k in range(40)]
    low, high = Fraction(str(start_s)), Fraction(str(start_s)) + Fraction("0.4")
    wanted = [k for k, time_s in enumerate(times) if low <= time_s < high]
    assert barcode.numbered(frames) == wanted
    assert frames[0].pts_ns == 0
    assert source.info.origin_ns == round((times[wanted[0]] - low) * 10**9)

    assert source.info.audio is not None
    tick = source.info.audio.time_base
    packets = [packet for frame in frames for packet in frame.audio]
    assert -1024 < packets[0].pts <= 0, "sound begins with the packet that covers the start"
    assert abs(packets[-1].pts * tick - Fraction("0.4")) < Fraction(1024, media.SAMPLE_RATE)
    original = dict(media.sound_packets(path))
    cut = [packet.data for packet in packets]
    everywhere = list(original.values())
    first = everywhere.index(cut[0])
    assert everywhere[first : first + len(cut)] == cut


def test_sound_rides_with_the_frames_complete_and_in_order(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "clip.mp4", sound_s=2.5, options={"bf": "2"})
    source = open_source(str(path), WHOLE)
    frames = everything(source)
    assert source.info.audio is not None
    packets = [packet for frame in frames for packet in frame.audio]
    tick = source.info.audio.time_base
    got = [(packet.pts * tick, packet.data) for packet in packets]
    assert got == media.sound_packets(path)
    assert packets[-1].pts * tick > Fraction(2), "sound after the last picture is kept"


def test_sound_can_be_left_out(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "clip.mp4", sound_s=1.0)
    source = open_source(str(path), SourceSettings(audio=False))
    assert not any(frame.audio for frame in everything(source))
    assert source.info.audio is None


def corners(image: np.ndarray) -> list[str]:
    names = {(0, 0, 255): "red", (0, 255, 0): "green", (255, 0, 0): "blue", (0, 0, 0): "black"}
    found = []
    for row, column in ((8, 8), (8, -8), (-8, 8), (-8, -8)):
        near = min(names, key=lambda color: np.abs(image[row, column].astype(int) - color).sum())
        found.append(names[near])
    return found


@pytest.mark.parametrize(
    ("turn", "mirror", "expected"),
    [
        (0, False, ["red", "green", "blue", "black"]),
        (90, False, ["green", "black", "red", "blue"]),
        (-90, False, ["blue", "red", "black", "green"]),
        (180, False, ["black", "blue", "green", "red"]),
        (0, True, ["green", "red", "black", "blue"]),
    ],
)
def test_phone_clips_are_turned_upright(
    turn: int, mirror: bool, expected: list[str], tmp_path: Path
) -> None:
    image = np.zeros((48, 96, 3), np.uint8)
    image[:24, :48], image[:24, 48:], image[24:, :48] = (0, 0, 255), (0, 255, 0), (255, 0, 0)
    path = media.write_video(
        tmp_path / "clip.mp4",
        [0, 3600],
        pictures=[image, image],
        turn=turn,
        mirror=mirror,
        aspect=Fraction(4, 3),
    )
    source = open_source(str(path), WHOLE)
    frames = everything(source)
    lies = abs(turn) == 90
    assert (source.info.width, source.info.height) == ((48, 96) if lies else (96, 48))
    assert source.info.sample_aspect == (Fraction(3, 4) if lies else Fraction(4, 3))
    assert corners(frames[1].image) == expected


FULL, LIMITED = 2, 1
COLORS = [(40, 60, 220), (200, 80, 30), (90, 130, 190), (128, 128, 128), (16, 235, 90)]


@pytest.mark.parametrize(
    ("pix_fmt", "tags"),
    [
        ("yuv420p", {"colorspace": 1, "color_range": LIMITED}),
        ("yuv420p", {"colorspace": 5, "color_range": LIMITED}),
        ("yuv420p", {"colorspace": 6, "color_range": FULL}),
        ("yuvj420p", {"colorspace": 1, "color_range": FULL}),
        ("yuv422p", {"colorspace": 1, "color_range": LIMITED}),
        ("yuv444p", {"colorspace": 5, "color_range": LIMITED}),
        ("yuv420p10le", {"colorspace": 1, "color_range": LIMITED}),
    ],
)
def test_colors_are_right_whatever_the_tags(
    pix_fmt: str, tags: dict[str, int], tmp_path: Path
) -> None:
    image = np.repeat(np.array(COLORS, np.uint8), 16, axis=0)[None].repeat(32, axis=0)
    path = media.write_video(
        tmp_path / "clip.mp4",
        [0, 3600],
        pictures=[image, image],
        pix_fmt=pix_fmt,
        colors=tags,
        options={"crf": "1"},
    )
    frames = everything(open_source(str(path), WHOLE))
    for place, color in enumerate(COLORS):
        got = frames[0].image[16, 16 * place + 8]
        assert np.abs(got.astype(int) - color).max() <= 3, (got, color)


@pytest.mark.parametrize("codec", [("ffv1", "gray"), ("ffv1", "bgra"), ("gif", "rgb8")])
def test_gray_alpha_and_palette_become_bgr(codec: tuple[str, str], tmp_path: Path) -> None:
    name, pix_fmt = codec
    path = tmp_path / ("clip.gif" if name == "gif" else "clip.mkv")
    ticks = list(range(0, 40, 4))
    media.write_video(path, ticks, time_base=Fraction(1, 100), codec=name, pix_fmt=pix_fmt)
    assert barcode.numbered(everything(open_source(str(path), WHOLE))) == list(range(10))


def test_size_may_change_in_mid_stream(tmp_path: Path) -> None:
    joined = b""
    for size in ((96, 64), (128, 96)):
        path = tmp_path / "part.h264"
        images = [barcode.picture(number, *size) for number in range(5)]
        media.write_video(path, media.STEADY[:5], pictures=images, options={"bf": "0"})
        joined += path.read_bytes()
    (tmp_path / "joined.h264").write_bytes(joined)
    frames = everything(open_source(str(tmp_path / "joined.h264"), WHOLE))
    assert [frame.image.shape[:2] for frame in frames] == [(64, 96)] * 5 + [(96, 128)] * 5
    assert barcode.numbered(frames) == [*range(5), *range(5)]


def test_paced_file_arrives_in_real_time(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "clip.mp4", media.STEADY[:10])
    frames = everything(open_source(str(path), SourceSettings(paced=True)))
    for frame in frames:
        passed_ns = frame.captured_ns - frames[0].captured_ns
        assert passed_ns >= frame.pts_ns - frames[0].pts_ns - 1_000_000


def test_what_is_live_already_is_not_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its clock and ours differ: waiting for deadlines would only let the delay grow.
    def hold_back(*_: object) -> None:
        pytest.fail("paced")

    path = tmp_path / "clip.mkv"
    media.write_video(path, media.STEADY[:4])
    monkeypatch.setattr(container, "paced", hold_back)
    settings = SourceSettings(paced=True)
    live = ContainerSource("camera", settings, lambda _: av.open(path), live=True)
    assert everything(live)
