from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from stream.errors import SinkError
from stream.sinks import SinkSettings, file_sound, open_sink
from stream.sinks.h264 import Encoder
from stream.sinks.trial import try_encoder
from stream.sources import SourceSettings, open_source
from tests.contract import media

SETTINGS = SinkSettings(preset="ultrafast")
WHOLE = SourceSettings()
ROOT = Path(__file__).parents[2]


WRITER = """
    import os, sys
    from stream.sinks import SinkSettings, open_sink
    from tests.barcode import BarcodeSource
    source = BarcodeSource([3600 * k for k in range(140)])
    sink = open_sink(sys.argv[1], source.info, SinkSettings(preset="ultrafast"))
    sink.__enter__()
    for frame in source:
        sink.write(frame)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_file_of_a_killed_writer_can_be_played(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out.{suffix}"
    done = run_python(WRITER, str(output))
    assert done.returncode == -9
    numbers = media.video_numbers(output)
    assert len(numbers) >= 115, "at most half a second and the encoder's delay are lost"
    assert numbers == list(range(len(numbers)))


FULL_DISK = """
    import resource, sys
    import numpy as np
    from stream.errors import SinkError
    from stream.sinks import SinkSettings, open_sink
    from tests.barcode import BarcodeSource
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
    source = BarcodeSource([3600 * k for k in range(1000)], size=(320, 240))
    noise = np.random.default_rng(1)
    try:
        with open_sink(sys.argv[1], source.info, SinkSettings(preset="ultrafast")) as sink:
            for frame in source:
                frame.image[120:] = noise.integers(0, 255, frame.image[120:].shape)
                sink.write(frame)
    except SinkError as error:
        print(error, end="")
        sys.exit(7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_full_disk_ends_with_one_line_and_a_playable_file(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out.{suffix}"
    done = run_python(FULL_DISK, str(output))
    assert done.returncode == 7, done.stderr
    assert done.stdout == f"{output}: cannot be written: File too large"
    numbers = media.video_numbers(output)
    assert len(numbers) > 5
    assert numbers == list(range(len(numbers)))


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("name", ["out.mp4", "best.png"])
def test_device_without_space_is_reported(name: str, tmp_path: Path) -> None:
    output = tmp_path / name
    output.symlink_to("/dev/full")
    with pytest.raises(SinkError, match="cannot be written: No space left on device"):
        media.write_all(
            open_sink(str(output), media.info_of(), SETTINGS), media.frames_at(media.uneven(3))
        )


@pytest.mark.parametrize("encoder", ["auto", "libx264", "h264_nvenc"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_every_encoder_writes_the_file_or_leaves_what_is_there(
    name: str, encoder: Encoder, tmp_path: Path
) -> None:
    output = tmp_path / name
    output.write_bytes(b"another recording")
    settings = replace(SETTINGS, encoder=encoder)
    sink = open_sink(str(output), media.info_of((256, 256)), settings)
    if encoder == "h264_nvenc" and try_encoder(encoder):
        with pytest.raises(SinkError, match=r"h264_nvenc: cannot be .*; choose libx264 or auto"):
            sink.__enter__()
        assert output.read_bytes() == b"another recording"
        return
    ticks = media.uneven(9)
    media.write_all(sink, media.frames_at(ticks, (256, 256)))
    assert media.video_numbers(output) == list(range(len(ticks)))


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "best.png"])
def test_missing_folder_is_refused_on_entry(name: str, tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "nowhere" / name), media.info_of(), SETTINGS)
    with pytest.raises(SinkError, match=r"the folder .*nowhere does not exist"):
        sink.__enter__()


@pytest.mark.parametrize("name", ["out.mp4", "best.png"])
def test_folder_in_the_way_is_refused_on_entry(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    sink = open_sink(str(tmp_path / name), media.info_of(), SETTINGS)
    with pytest.raises(SinkError, match="is a folder"):
        sink.__enter__()


def test_file_in_the_way_of_a_folder_is_refused_on_entry(tmp_path: Path) -> None:
    (tmp_path / "shots").write_text("a file")
    with pytest.raises(SinkError, match="cannot be made: File exists"):
        open_sink(f"{tmp_path}/shots/", media.info_of(), SETTINGS).__enter__()


def test_source_is_never_overwritten(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    before = clip.read_bytes()
    (tmp_path / "again.mp4").symlink_to(clip)
    for url in (clip, tmp_path / "again.mp4", f"side-by-side:{clip}"):
        with open_source(str(clip), WHOLE) as source:
            sink = open_sink(str(url), source.info, SETTINGS)
            with pytest.raises(SinkError, match="is the source itself"):
                sink.__enter__()
    assert clip.read_bytes() == before


def test_folder_of_the_source_is_never_written(tmp_path: Path) -> None:
    folder = media.folder_of_pictures(tmp_path / "shots", 3)
    with open_source(str(folder), WHOLE) as source:
        sink = open_sink(f"{folder}/", source.info, SETTINGS)
        with pytest.raises(SinkError, match="is the source itself"):
            sink.__enter__()
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize(
    ("codec", "source", "name"),
    [
        ("libopus", "clip.mkv", "out.mov"),
        ("flac", "clip.mkv", "out.mov"),
        ("libmp3lame", "clip.mkv", "out.m4v"),
        ("pcm_mulaw", "clip.mov", "out.mp4"),
    ],
)
def test_sound_that_the_file_cannot_hold_becomes_aac(
    codec: str, source: str, name: str, tmp_path: Path
) -> None:
    clip = media.write_video(tmp_path / source, sound_s=1.0, sound_codec=codec)
    output = tmp_path / name
    with open_source(str(clip), WHOLE) as opened:
        media.write_all(open_sink(str(output), opened.info, SETTINGS), list(opened))
    assert media.video_numbers(output) == media.video_numbers(clip)
    heard, expected = sound_in(output), sound_in(clip)
    assert heard[0] == "aac"
    assert heard[1] == pytest.approx(expected[1], abs=0.03)
    assert heard[2] == pytest.approx(expected[2], abs=0.03), "the end is not cut off"
    assert 0.2 < heard[3] < 0.5, "the tone, not noise"


def sound_in(path: Path) -> tuple[str, float, float, float]:
    """Codec, beginning and end in seconds, and the loudest sample."""
    with av.open(str(path)) as file:
        name = file.streams.audio[0].codec_context.name
        frames = list(file.decode(audio=0))
    last = frames[-1]
    peaks = [np.abs(frame.to_ndarray().astype(np.float64)).max() for frame in frames]
    return name, frames[0].time, last.time + last.samples / last.sample_rate, max(peaks)


def test_sound_that_nothing_decodes_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mov", sound_s=0.2, sound_codec="pcm_mulaw")
    output = tmp_path / "out.mp4"
    output.write_bytes(b"another recording")
    with open_source(str(clip), WHOLE) as source:
        frames, info = list(source), source.info
    with pytest.MonkeyPatch.context() as without:
        without.setattr(file_sound, "AacTranscoder", no_decoder)
        with pytest.raises(SinkError, match=r"cannot hold pcm_mulaw sound.*write an \.mkv"):
            open_sink(str(output), info, SETTINGS).__enter__()
    assert output.read_bytes() == b"another recording"
    silent = replace(SETTINGS, audio=False)
    media.write_all(open_sink(str(output), info, silent), frames)
    assert media.video_numbers(output) == media.video_numbers(clip)


def no_decoder(*_: object) -> None:
    raise ValueError("no decoder")


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_file_stays_until_there_is_a_picture_to_replace_it(name: str, tmp_path: Path) -> None:
    output = tmp_path / name
    output.write_bytes(b"another recording")
    with (
        pytest.raises(KeyError, match="elsewhere"),
        open_sink(str(output), media.info_of(), SETTINGS),
    ):
        raise KeyError("elsewhere")
    assert output.read_bytes() == b"another recording"
    media.write_all(open_sink(str(output), media.info_of(), SETTINGS), media.frames_at([0, 3600]))
    assert media.video_numbers(output) == [0, 1]


def test_start_that_fails_leaves_no_empty_file(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyError, match="elsewhere"),
        open_sink(str(tmp_path / "out.mp4"), media.info_of(), SETTINGS),
    ):
        raise KeyError("elsewhere")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_a_file_that_is_being_written_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    frames = media.frames_at(media.uneven(5))
    with open_sink(str(output), media.info_of(), SETTINGS) as first:
        for frame in frames[:2]:
            first.write(frame)
        second = open_sink(f"side-by-side:{output}", media.info_of(), SETTINGS)
        with pytest.raises(SinkError, match=f"^{output}: another run is writing this file; choose"):
            second.__enter__()
        for frame in frames[2:]:
            first.write(frame)
    assert media.video_numbers(output) == list(range(5))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_writer_keeps_nobody_from_its_file(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert run_python(WRITER, str(output)).returncode == -9
    media.write_all(open_sink(str(output), media.info_of(), SETTINGS), media.frames_at([0, 3600]))
    assert media.video_numbers(output) == [0, 1]
