from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.sinks import SinkSettings, open_sink
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


def test_sound_that_the_file_cannot_hold_is_refused_on_entry(tmp_path: Path) -> None:
    clip = media.write_video(
        tmp_path / "clip.mov", media.STEADY[:5], sound_s=0.2, sound_codec="pcm_mulaw"
    )
    with open_source(str(clip), WHOLE) as source:
        sink = open_sink(str(tmp_path / "out.mp4"), source.info, SETTINGS)
        with pytest.raises(SinkError, match="cannot hold pcm_mulaw sound"):
            sink.__enter__()
        silent = replace(SETTINGS, audio=False)
        media.write_all(open_sink(str(tmp_path / "out.mp4"), source.info, silent), list(source))
    assert media.video_numbers(tmp_path / "out.mp4") == [0, 1, 2, 3, 4]
