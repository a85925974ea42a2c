from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import ConfigError, SinkError
from stream.recording import Recorder
from stream.sinks import Sink, SinkSettings
from tests.contract import media

INFO = media.info_of(origin_ns=400_000_000)


class Stream:
    """Writes some frames to each sink that comes."""

    def __init__(self) -> None:
        self.sinks: dict[str, Sink] = {}

    def add_sink(self, name: str, sink: Sink) -> None:
        sink.__enter__()
        for frame in media.frames_at(media.uneven(5))[2:]:
            sink.write(frame)
        self.sinks[name] = sink

    def remove_sink(self, name: str) -> None:
        self.sinks.pop(name).__exit__(None, None, None)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    recorder = Recorder(tmp_path / "new" / "recordings", SinkSettings(preset="ultrafast"))
    recorder.attach(Stream())
    return recorder


def test_recording_begins_at_zero(recorder: Recorder, tmp_path: Path) -> None:
    assert recorder.status() is None
    name = recorder.start(INFO)
    status = recorder.status()
    assert status is not None
    assert status["name"] == name
    assert recorder.finished == ()
    assert recorder.stop() == name
    assert recorder.status() is None
    path = tmp_path / "new" / "recordings" / name
    assert recorder.finished == (path,)
    ticks = media.uneven(5)
    assert media.video_numbers(path) == [2, 3, 4]
    assert media.video_times(path) == [(tick - ticks[2]) * media.TIME_BASE for tick in ticks[2:]]


def test_names_do_not_collide(recorder: Recorder, tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        names.add(recorder.start(INFO))
        recorder.stop()
    assert len(names) == 3
    assert {path.name for path in (tmp_path / "new" / "recordings").iterdir()} == names


def test_only_one_at_a_time(recorder: Recorder) -> None:
    with pytest.raises(ConfigError, match="no recording"):
        recorder.stop()
    recorder.start(INFO)
    with pytest.raises(ConfigError, match="stop it first"):
        recorder.start(INFO)
    recorder.stop()


def test_nothing_to_record_yet(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not begun"):
        Recorder(tmp_path, SinkSettings()).start(INFO)
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(tmp_path / "file" / "recordings", SinkSettings())
    recorder.attach(Stream())
    with pytest.raises(SinkError, match="recordings"):
        recorder.start(INFO)
    assert recorder.status() is None
