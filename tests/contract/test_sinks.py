from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from stream.frame import Frame
from stream.sinks import SinkSettings, open_sink
from stream.sources import SourceSettings, open_source
from stream.timebase import to_ns
from tests import barcode
from tests.contract import media

SETTINGS = SinkSettings(preset="ultrafast")
WHOLE = SourceSettings()
ROOT = Path(__file__).parents[2]


def pictures_in(output: Path) -> list[int]:
    """Numbers of all pictures that a sink has left, read by OpenCV and PyAV."""
    if output.is_dir():
        return [barcode.read(cv2.imread(str(path))) for path in sorted(output.iterdir())]
    if output.suffix in {".png", ".jpg", ".webp"}:
        return [barcode.read(cv2.imread(str(output)))]
    return media.video_numbers(output)


OUTPUTS = [
    "out.mp4",
    "out.mov",
    "out.m4v",
    "out.mkv",
    "OUT.MP4",
    "shots/",
    "new/deep/frame_%04d.jpg",
    "shots/%d.webp",
    "best.png",
    "best.jpg",
    "side-by-side:both.mp4",
    "side-by-side:both.png",
    "null",
]


@pytest.mark.parametrize("failing", [False, True], ids=["finished", "after an error"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_sink_keeps_the_contract(output: str, failing: bool, tmp_path: Path) -> None:
    prefix = "side-by-side:" if output.startswith("side-by-side:") else ""
    target = tmp_path / output.removeprefix(prefix)
    url = "null" if output == "null" else prefix + str(target) + "/" * output.endswith("/")
    frames = media.frames_at(media.uneven(9))
    before = [
        (frame.image.copy(), frame.original.copy())
        for frame in frames
        if frame.original is not None
    ]

    sink = open_sink(url, media.info_of(), SETTINGS)
    assert not list(tmp_path.iterdir()), "construction does no I/O"
    assert sink.leaky is False
    if failing:
        with pytest.raises(KeyError, match="elsewhere"), sink:
            for frame in frames:
                sink.write(frame)
            raise KeyError("elsewhere")
    else:
        media.write_all(sink, frames)

    for frame, (image, original) in zip(frames, before, strict=True):
        assert np.array_equal(frame.image, image)
        assert np.array_equal(frame.original, original)
    if output == "null":
        assert not list(tmp_path.iterdir())
    elif prefix:
        assert both_halves(target) == ([8, 8] if target.suffix == ".png" else [0, 0])
    elif "%" in output or output.endswith("/"):
        folder = target.parent if "%" in output else target
        assert pictures_in(folder) == list(range(9))
    elif target.suffix in {".png", ".jpg"}:
        assert pictures_in(target) == [8], "without a face the last frame is the one"
    else:
        assert pictures_in(target) == list(range(9))


def both_halves(path: Path) -> list[int]:
    with av.open(str(path)) as source:
        image = next(source.decode(video=0)).to_ndarray(format="bgr24")
    assert image.shape == (64, 196, 3)
    assert image[:, 96:100].min() > 200, "a white line between the halves"
    left, right = image[:, :96], image[:, 100:]
    lower = np.s_[40:, 10:-10]
    assert np.abs(left[lower].astype(int) + right[lower] - 255).mean() < 6
    return [barcode.read(left), barcode.read(right)]


@pytest.mark.parametrize("b_frames", ["ultrafast", "veryfast"], ids=["none", "B frames"])
@pytest.mark.parametrize(
    "time_base",
    [Fraction(1, 90_000), Fraction(1, 12_800), Fraction(1001, 30_000), Fraction(1, 1_000_000)],
    ids=str,
)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_variable_timing_is_kept_tick_for_tick(
    suffix: str, time_base: Fraction, b_frames: str, tmp_path: Path
) -> None:
    step = max(1, round(Fraction(1, 60) / time_base))
    ticks = list(accumulate((step * (1 + k * k % 7) for k in range(29)), initial=7 * step))
    first_ns = to_ns(ticks[0], time_base)
    info = media.info_of(time_base=time_base, origin_ns=first_ns)
    frames = [
        replace(frame, pts_ns=to_ns(tick, time_base) - first_ns)
        for frame, tick in zip(media.frames_at(ticks), ticks, strict=True)
    ]
    output = tmp_path / f"out.{suffix}"
    media.write_all(open_sink(str(output), info, SinkSettings(preset=b_frames)), frames)
    assert media.video_times(output) == [tick * time_base for tick in ticks]
    assert media.video_numbers(output) == list(range(30))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_last_picture_after_a_pause_of_a_live_source_is_kept(suffix: str, tmp_path: Path) -> None:
    rate = Fraction(25)
    info = media.info_of(rate=rate, time_base=1 / rate, live=True)
    frames = [
        replace(frame, pts_ns=to_ns(tick, info.time_base))
        for frame, tick in zip(media.frames_at(media.uneven(5)), [0, 1, 14, 15, 16], strict=True)
    ]
    output = tmp_path / f"out.{suffix}"
    media.write_all(open_sink(str(output), info, SinkSettings()), frames)
    assert media.video_numbers(output) == list(range(5))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_clip_with_sound_is_copied_in_sync(suffix: str, tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mp4", media.uneven(40), sound_s=2.6)
    output = tmp_path / f"out.{suffix}"
    with open_source(str(clip), WHOLE) as source:
        media.write_all(open_sink(str(output), source.info, SETTINGS), list(source))

    before, after = media.sound_packets(clip), media.sound_packets(output)
    assert [data for _, data in after] == [data for _, data in before]
    shift = after[0][0] - before[0][0]
    tolerance = Fraction(0) if suffix != "mkv" else Fraction(1, 1000)
    assert suffix == "mkv" or shift == 0
    for (then, _), (now, _) in zip(before, after, strict=True):
        assert abs(now - then - shift) <= tolerance
    for then, now in zip(media.video_times(clip), media.video_times(output), strict=True):
        assert abs(now - then - shift) <= tolerance
    assert media.video_numbers(output) == list(range(40))


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libopus", "mkv"), ("pcm_s16le", "mov"), ("alac", "mov"), ("flac", "mkv")],
)
def test_other_sound_codecs_are_copied_too(codec: str, suffix: str, tmp_path: Path) -> None:
    clip = tmp_path / f"clip.{suffix}"
    media.write_video(clip, media.STEADY[:10], sound_s=0.4, sound_codec=codec)
    output = tmp_path / f"out.{suffix}"
    with open_source(str(clip), WHOLE) as source:
        media.write_all(open_sink(str(output), source.info, SETTINGS), list(source))
    assert [data for _, data in media.sound_packets(output)] == [
        data for _, data in media.sound_packets(clip)
    ]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_sound_of_a_transport_stream_loses_its_packet_headers_only(
    suffix: str, tmp_path: Path
) -> None:
    clip = media.write_video(tmp_path / "clip.ts", media.STEADY[:20], sound_s=0.8)
    output = tmp_path / f"out.{suffix}"
    with open_source(str(clip), WHOLE) as source:
        media.write_all(open_sink(str(output), source.info, SETTINGS), list(source))
    adts_header = 7
    assert [data for _, data in media.sound_packets(output)] == [
        data[adts_header:] for _, data in media.sound_packets(clip)
    ]
    with av.open(str(output)) as written:
        samples = sum(frame.samples for frame in written.decode(audio=0))
    assert samples >= 0.75 * media.SAMPLE_RATE


def test_trimmed_clip_begins_at_zero_with_its_sound(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mp4", sound_s=1.6)
    output = tmp_path / "out.mp4"
    with open_source(str(clip), SourceSettings(start_s=0.5, duration_s=0.5)) as source:
        media.write_all(open_sink(str(output), source.info, SETTINGS), list(source))
    assert media.video_times(output)[0] == Fraction("0.02")  # 0.52 s, frame 13
    assert media.video_numbers(output) == list(range(13, 25))
    original = {data: time for time, data in media.sound_packets(clip)}
    for now, data in media.sound_packets(output):
        assert abs(original[data] - now - Fraction("0.5")) < Fraction(1, media.SAMPLE_RATE)


def test_old_output_is_replaced(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(bytes(1_000_000))
    media.write_all(
        open_sink(str(output), media.info_of(), SETTINGS), media.frames_at(media.uneven(4))
    )
    assert output.stat().st_size < 100_000
    assert media.video_numbers(output) == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [(65, 49), (64, 33), (67, 48)])
def test_odd_sizes_get_one_more_row_or_column(size: tuple[int, int], tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    frames = media.frames_at(media.uneven(4), size)
    media.write_all(open_sink(str(output), media.info_of(size), SETTINGS), frames)
    width, height = size
    with av.open(str(output)) as source:
        image = next(source.decode(video=0)).to_ndarray(format="bgr24")
    assert image.shape[:2] == (height + height % 2, width + width % 2)
    assert np.abs(image[:height, :width].astype(int) - frames[0].image).mean() < 8
    if width % 2:
        assert np.abs(image[:, -1].astype(int) - image[:, -2]).mean() < 12


def test_later_size_is_letterboxed_into_the_first(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    frames = media.frames_at(media.uneven(3)) + media.frames_at(media.uneven(3), (192, 64))
    frames = [replace(frame, pts_ns=k * 10**8) for k, frame in enumerate(frames)]
    media.write_all(open_sink(str(output), media.info_of(), SETTINGS), frames)
    with av.open(str(output)) as source:
        images = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
    assert {image.shape for image in images} == {(64, 96, 3)}
    assert barcode.read(images[2]) == 2
    assert barcode.read(images[4][16:48]) == 1
    assert images[4][:12].max() < 30, "black above"
    assert images[4][-12:].max() < 30, "black below"


@pytest.mark.parametrize("size", [(160, 120), (1280, 720)], ids=["SD", "HD"])
def test_colors_survive_writing_and_reading(size: tuple[int, int], tmp_path: Path) -> None:
    colors = np.array([(40, 60, 220), (200, 80, 30), (128, 128, 128), (16, 235, 90)], np.uint8)
    image = np.ascontiguousarray(
        np.repeat(colors, size[0] // 4, axis=0)[None].repeat(size[1], axis=0)
    )
    output = tmp_path / "out.mp4"
    media.write_all(
        open_sink(str(output), media.info_of(size), replace(SETTINGS, crf=4)),
        [Frame(image, 0, 0, 0)],
    )
    with open_source(str(output), WHOLE) as source:
        ours = next(iter(source)).image
    with av.open(str(output)) as container:
        tags = container.streams.video[0].codec_context
        assert (tags.colorspace, tags.color_primaries, tags.color_trc, tags.color_range) == (
            (1, 1, 1, 1) if size[1] >= 720 else (6, 6, 6, 1)
        )
        theirs = next(container.decode(video=0)).to_ndarray(format="bgr24")
    for place, color in enumerate(colors.astype(int)):
        column = size[0] // 8 * (2 * place + 1)
        assert np.abs(ours[size[1] // 2, column] - color).max() <= 2
        assert np.abs(theirs[size[1] // 2, column] - color).max() <= 4, "another reader agrees"


def test_picture_does_not_darken_from_copy_to_copy(tmp_path: Path) -> None:
    image = barcode.picture(5, 160, 96)
    first = image
    for generation in range(3):
        output = tmp_path / f"{generation}.mp4"
        settings = replace(SETTINGS, crf=1)
        media.write_all(
            open_sink(str(output), media.info_of((160, 96)), settings), [Frame(image, 0, 0, 0)]
        )
        with open_source(str(output), WHOLE) as source:
            image = next(iter(source)).image
    drift = image[48:].astype(int) - first[48:]
    assert np.abs(drift.mean(axis=(0, 1))).max() < 0.5


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_file_says_that_it_is_synthetic(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out.{suffix}"
    info = media.info_of(sample_aspect=Fraction(4, 3))
    media.write_all(open_sink(str(output), info, SETTINGS), media.frames_at(media.uneven(3)))
    with av.open(str(output)) as source:
        metadata = {name.lower(): value for name, value in source.metadata.items()}
        assert source.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    # Written before the first face is known: it must be true of a film without any.
    assert metadata["title"] == "May contain synthetic media"
    assert metadata["comment"] == "synthetic media where a face was found: processed by facestream"
    assert metadata["digital_source_type"].endswith("compositeWithTrainedAlgorithmicMedia")
