from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from stream.errors import SourceError
from stream.sources import SourceSettings, open_source
from tests import barcode
from tests.contract import media

WHOLE = SourceSettings()
PORTION = 10 * 188  # Ten packets of a transport stream.


def broken_inputs(tmp_path: Path) -> dict[str, tuple[str, str]]:
    whole = media.write_video(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("this is a letter, not a video\n" * 50)
    (tmp_path / "index_lost.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "noise.png").write_bytes(b"\x89PNG" + bytes(100))
    media.write_sound(tmp_path / "song.m4a")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "readme.txt").write_text("no picture")
    return {
        "missing": ("missing.mp4", "no such file"),
        "missing picture": ("missing.png", "no such file"),
        "empty": ("empty.mp4", "is empty"),
        "text": ("text.mp4", "not a video"),
        "cut before its index": ("index_lost.mp4", "cut short"),
        "sound only": ("song.m4a", "no video in it, only audio"),
        "damaged picture": ("noise.png", "not a picture"),
        "folder without pictures": ("nothing", "no pictures in this folder"),
    }


BROKEN = [
    "missing",
    "missing picture",
    "empty",
    "text",
    "cut before its index",
    "sound only",
    "damaged picture",
    "folder without pictures",
]


@pytest.mark.parametrize("kind", BROKEN)
def test_unreadable_input_is_refused_on_entry(kind: str, tmp_path: Path) -> None:
    name, message = broken_inputs(tmp_path)[kind]
    source = open_source(str(tmp_path / name), WHOLE)
    with pytest.raises(SourceError, match=message) as caught, source:
        pytest.fail("was entered")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["57", "/dev/video57"])
def test_missing_camera_is_refused_on_entry(url: str) -> None:
    with pytest.raises(SourceError, match=r"/dev/video57: no such camera"):
        open_source(url, WHOLE).__enter__()


def test_start_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match="nothing left after 60 s"):
        open_source(str(path), SourceSettings(start_s=60)).__enter__()


def cut_off(data: bytearray) -> bytes:
    return bytes(data[: len(data) * 6 // 10])


def scratched(data: bytearray) -> bytes:
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(value ^ 0x5A for value in data[middle : middle + 3000])
    return bytes(data)


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [("mp4", cut_off), ("mp4", scratched), ("mkv", cut_off)],  # FFmpeg skips a scratch in .mkv
)
def test_damaged_file_yields_what_decodes_and_then_says_so(
    suffix: str, damage: Callable[[bytearray], bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"clip.{suffix}"
    ticks = [3600 * k for k in range(100)]
    noise = np.random.default_rng(1)
    images = [barcode.picture(number) for number in range(len(ticks))]
    for image in images:
        image[40:] = noise.integers(0, 255, image[40:].shape)
    front = {"movflags": "faststart"} if suffix == "mp4" else {}
    media.write_video(
        path, ticks, pictures=images, options={"bf": "2", "g": "10"}, container_options=front
    )
    path.write_bytes(damage(bytearray(path.read_bytes())))
    frames = []
    with (
        open_source(str(path), WHOLE) as source,
        pytest.raises(SourceError, match=r"damaged after frame|cut short") as caught,
    ):
        for frame in source:
            frames.append(frame)  # noqa: PERF402 - what came before the error counts
    assert len(frames) > 40
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert barcode.numbered(frames[:40]) == list(range(40))
    assert str(path) in str(caught.value)


def test_damaged_picture_in_a_folder_is_left_out_and_reported(tmp_path: Path) -> None:
    folder = media.folder_of_pictures(tmp_path / "shots", 5)
    (folder / "shot2.png").write_bytes(b"broken")
    frames = []
    with (
        open_source(str(folder), WHOLE) as source,
        pytest.raises(SourceError, match=r"1 of 5 pictures.*shot2\.png"),
    ):
        for frame in source:
            frames.append(frame)  # noqa: PERF402 - what came before the error counts
    assert barcode.numbered(frames) == [0, 1, 3, 4]
    assert [frame.pts_ns for frame in frames] == [0, 40_000_000, 120_000_000, 160_000_000]


@contextmanager
def silent_server() -> Iterator[int]:
    """Accepts connections by its backlog alone and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp", "tcp"])
def test_silent_server_is_given_up_in_time(scheme: str) -> None:
    settings = SourceSettings(open_timeout_s=0.4, read_timeout_s=0.4)
    with silent_server() as port:
        source = open_source(f"{scheme}://me:secret@127.0.0.1:{port}/live", settings)
        began_s = time.monotonic()
        with pytest.raises(SourceError, match=r"no answer within 0\.4 s") as caught:
            source.__enter__()
        assert time.monotonic() - began_s < 3
        assert "secret" not in str(caught.value)
        assert "secret" not in repr(caught.value.__cause__)


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp", "tcp"])
def test_refusing_server_is_reported_at_once(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    source = open_source(f"{scheme}://127.0.0.1:{port}/live", WHOLE)
    with pytest.raises(SourceError, match="connection refused"):
        source.__enter__()


def test_missing_file_on_a_server_is_reported(tmp_path: Path) -> None:
    with (
        media.served(tmp_path) as url,
        pytest.raises(SourceError, match=r"no such stream \(404\)") as caught,
    ):
        open_source(f"{url}/nothing.mp4", WHOLE).__enter__()
    assert "secret" not in str(caught.value)


@contextmanager
def broadcast(data: bytes) -> Iterator[str]:
    """Sends data little by little to the first who connects, then falls silent."""
    leave = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for start in range(0, len(data), PORTION):
                connection.sendall(data[start : start + PORTION])
                leave.wait(0.01)
            leave.wait(timeout=10)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            leave.set()
            thread.join()


def live_clip(tmp_path: Path) -> bytes:
    clip = media.write_video(tmp_path / "clip.ts", sound_s=1.6, options={"bf": "0", "g": "5"})
    return clip.read_bytes()


def test_lost_live_stream_ends_with_an_error(tmp_path: Path) -> None:
    settings = SourceSettings(open_timeout_s=5, read_timeout_s=0.5, reconnect=False)
    frames = []
    with (
        broadcast(live_clip(tmp_path)) as url,
        open_source(url, settings) as source,
        pytest.raises(SourceError, match="source lost"),
    ):
        assert source.info.live
        assert source.info.origin_ns == 0
        for frame in source:
            frames.append(frame)  # noqa: PERF402 - what came before the error counts
    numbers = barcode.numbered(frames)
    # What came while the stream was examined is old news to a live viewer, and left out.
    assert numbers == list(range(numbers[0], 40))
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert [frame.pts_ns for frame in frames] == [k * 40_000_000 for k in range(len(frames))]
    assert source.info.audio is not None
    for frame in frames:
        for packet in frame.audio:
            sound_ns = packet.pts * source.info.audio.time_base * 10**9
            assert abs(sound_ns - frame.pts_ns) < 10**9, "one clock for picture and sound"


def test_duration_of_a_live_stream_counts_from_its_first_frame(tmp_path: Path) -> None:
    settings = SourceSettings(duration_s=0.2, read_timeout_s=1)
    with broadcast(live_clip(tmp_path)) as url, open_source(url, settings) as source:
        assert len(list(source)) == 5


def test_live_stream_has_no_start(tmp_path: Path) -> None:
    with (
        broadcast(live_clip(tmp_path)) as url,
        pytest.raises(SourceError, match="a live stream cannot start later"),
    ):
        open_source(url, SourceSettings(start_s=1)).__enter__()
