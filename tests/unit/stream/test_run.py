from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.config import Config
from stream.errors import ConfigError
from stream.outputs import check_outputs, default_outputs
from stream.pipeline import Pipeline
from stream.run import Run
from stream.sinks import SinkSettings
from stream.sinks.null import NullSink
from stream.sources import SourceSettings


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("demo", ("demo_swapped.mp4", "side-by-side:demo_side_by_side.png")),
        ("clips/talk.mov", ("talk_swapped.mov",)),
        ("clips/talk.webm", ("talk_swapped.mp4",)),
        ("photo.jpg", ("photo_swapped.jpg",)),
        ("photo.TIFF", ("photo_swapped.png",)),
    ],
)
def test_natural_outputs(source: str, expected: tuple[str, ...]) -> None:
    assert default_outputs(source) == expected


def test_folder_becomes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_outputs(str(tmp_path)) == (f"{tmp_path.name}_swapped/",)
    monkeypatch.chdir(tmp_path)
    assert default_outputs(".") == (f"{tmp_path.name}_swapped/",)


@pytest.mark.parametrize("source", ["0", "/dev/video2", "rtsp://host/x"])
def test_live_sources_have_no_natural_output(source: str) -> None:
    with pytest.raises(ConfigError, match="add --out"):
        default_outputs(source)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("0", "a camera has no name"),
        ("rtsp://host/x.mp4", "a stream has no name"),
        ("http://host/live", "a stream has no name"),
        ("http://me:secret@host/clip.mkv", r"from a server.* --out clip_swapped\.mkv"),
        ("https://host/clip.webm?at=3", r"from a server.* --out clip_swapped\.mp4"),
    ],
)
def test_a_missing_output_is_asked_for_as_the_source_is(source: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        default_outputs(source)


def test_password_of_a_live_source_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        default_outputs("rtsp://me:secret@host/x")
    assert "rtsp://host/x" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "out",
    [
        ("a.mp4", "a.mp4"),
        ("a.mp4", "./a.mp4"),
        ("a.mp4", "side-by-side:a.mp4"),
        ("frames", "frames/"),
        ("null", "null"),
    ],
)
def test_two_outputs_cannot_share_a_file(out: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="twice"):
        check_outputs(out)


@pytest.mark.parametrize("name", ["capture", "detect", "swap", "blend"])
def test_output_cannot_have_the_name_of_a_stage(name: str) -> None:
    with pytest.raises(ConfigError, match=f"write {name}/ for a folder"):
        check_outputs((name,))
    check_outputs((f"{name}/", "null", "a.mp4", "side-by-side:b.mp4"))


@pytest.mark.parametrize("name", ["", "side-by-side:"])
def test_empty_names_are_refused(name: str) -> None:
    # What an unset variable in a shell script gives; as a path it is the current folder.
    with pytest.raises(ConfigError, match="--out is empty"):
        check_outputs((name,))
    with pytest.raises(ConfigError, match="source is empty"):
        Run(Config(source="", out=("null",)))


def test_outputs_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Run(Config(out=("a.mp4", "a.mp4"), model="nothing.onnx"))


def test_one_thread_budget_reaches_every_part() -> None:
    config = Run(Config(threads=8)).config
    assert (config.threads, config.input.threads, config.output.threads) == (8, 2, 2)
    assert Run(Config()).config.threads >= 1


def test_part_keeps_the_threads_that_it_was_given() -> None:
    own = Config(threads=8, input=SourceSettings(threads=5), output=SinkSettings(threads=3))
    config = Run(own).config
    assert (config.input.threads, config.output.threads) == (5, 3)


def test_a_file_is_paced_only_when_somebody_has_to_watch_it_live() -> None:
    assert not Run(Config()).config.input.paced
    assert Run(Config(mode="live")).config.input.paced
    assert Run(Config(input=SourceSettings(paced=True))).config.input.paced
    assert Run(Config(out=("copy.mp4", "rtmp://host/live/x"))).config.input.paced
    assert Run(Config(out=("live.m3u8",), mode="lossless")).config.input.paced


def test_report_has_no_password() -> None:
    report = Pipeline((), {}, {"null": NullSink()}, live=True).report()
    run = Run(Config(source="rtsp://me:secret@host/x", out=("null",)))
    run.device = "cpu"
    plain = json.dumps(run.to_json(report))
    assert "rtsp://host/x" in plain
    assert "secret" not in plain
    assert json.loads(plain)["mask_fallbacks"] == 0
    assert json.loads(plain)["faces_unusable"] == 0
