from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest

import run_stream
from stream.config import Config
from stream.errors import SinkError, SourceError
from stream.frame import Frame, SourceInfo
from stream.pipeline import Pipeline
from stream.report import Report
from stream.sinks.null import NullSink

Play = Callable[..., int]


def frames(count: int = 3) -> Iterator[Frame]:
    for seq in range(count):
        yield Frame(np.zeros((4, 4, 3), np.uint8), seq * 40_000_000, seq, 0)


class FullDisk(NullSink):
    def write(self, frame: Frame) -> None:
        raise SinkError(f"out.mp4: no space left for picture {frame.seq}")


class Unfinished(NullSink):
    """Gets a Ctrl-C and then another while it is closed."""

    def __exit__(self, *_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


class PreparedRun:
    """Stands in for a run with models, files and devices."""

    config = Config(mode="lossless", out=("null",))
    device = "cpu"
    mask_fallbacks = 0
    faces_unusable = 0

    def __init__(self, source: Iterator[Frame], sink: NullSink, name: str = "null") -> None:
        self.info = SourceInfo("clip [final].mp4", 4, 4)
        self.pipeline = Pipeline(source, {}, {name: sink}, live=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def to_json(self, report: Report) -> dict[str, object]:
        return report.to_json()


@pytest.fixture(autouse=True)
def untouched_process() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    interval, level = sys.getswitchinterval(), logging.getLogger().level
    yield
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        signal.signal(number, handler)
    sys.setswitchinterval(interval)
    logging.getLogger().setLevel(level)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Run the command line on a prepared run."""
    before = {number: signal.getsignal(number) for number in run_stream.SIGNALS}

    def play(run: PreparedRun | Callable[[Config], PreparedRun], *arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["run_stream.py", *map(str, arguments)])
        monkeypatch.setattr(run_stream, "Run", run if callable(run) else lambda *_: run)
        return run_stream.main()

    yield play
    for number, handler in before.items():
        signal.signal(number, handler)


def test_done(play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(PreparedRun(frames(), NullSink()), "--report", tmp_path / "r.json") == 0
    assert json.loads((tmp_path / "r.json").read_text())["frames_out"] == 3
    assert "clip [final].mp4 4x4 -> null" in capsys.readouterr().err


def test_names_are_not_taken_for_markup(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(PreparedRun(frames(), NullSink(), "[/red].mp4")) == 0
    assert "capture -> [/red].mp4" in capsys.readouterr().err


def test_mask_that_could_not_be_had_is_said(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    run = PreparedRun(frames(), NullSink())
    assert play(run) == 0
    assert "mask" not in capsys.readouterr().err
    run = PreparedRun(frames(), NullSink())
    run.mask_fallbacks = 7
    assert play(run) == 0
    assert "mask hull: 7 faces got" in capsys.readouterr().err


def test_faces_that_the_model_failed_on_are_said(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    run = PreparedRun(frames(), NullSink())
    run.faces_unusable = 3
    assert play(run) == 0
    assert "3 faces left as they were" in capsys.readouterr().err


def test_first_write_that_fails_is_a_failure_on_the_way(
    play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = play(PreparedRun(frames(), FullDisk()), "-q", "--report", tmp_path / "r.json")
    assert code == run_stream.FAILED
    assert capsys.readouterr().err == (
        "error: out.mp4: no space left for picture 0 (in 'null', frame 0, 0.000 s)\n"
    )
    assert json.loads((tmp_path / "r.json").read_text())["frames_out"] == 0


def test_what_went_wrong_is_said_last(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(PreparedRun(frames(), FullDisk())) == run_stream.FAILED
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: out.mp4: no space left")


def test_a_run_that_swapped_nothing_warns(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(PreparedRun(frames(), NullSink())) == 0
    assert capsys.readouterr().err.splitlines()[-1] == (
        "warning: no face was found in 3 frames: nothing was swapped, the output is the input"
    )


def test_an_interrupted_run_says_so(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(PreparedRun(frames(), Unfinished())) == run_stream.INTERRUPTED
    assert capsys.readouterr().err.splitlines()[-1] == (
        "interrupted by SIGINT, twice: frames on their way were left out"
    )


def test_source_without_a_frame_is_wrong_input(play: Play) -> None:
    def nothing() -> Iterator[Frame]:
        raise SourceError("clip.mp4: no picture in it")
        yield

    assert play(PreparedRun(nothing(), NullSink())) == run_stream.USAGE


def test_signals_while_closing_and_reporting_lose_nothing(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(report: Report) -> str:
        signal.raise_signal(signal.SIGINT)
        return str(report.frames_out)

    monkeypatch.setattr(run_stream, "render", impatient)
    code = play(PreparedRun(frames(), Unfinished()), "--report", tmp_path / "r.json")
    assert code == run_stream.INTERRUPTED
    assert json.loads((tmp_path / "r.json").read_text())["frames_out"] == 3


def test_report_that_cannot_be_written_is_said_before_the_run(
    play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = PreparedRun(frames(), NullSink())
    for place in (tmp_path, tmp_path / "nowhere" / "r.json"):
        assert play(run, "--report", place) == run_stream.USAGE
        assert f"--report {place}: " in capsys.readouterr().err
    assert run.pipeline.report().frames_in == 0


def test_report_that_fails_at_the_end_is_one_line(
    play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def removes_the_folder() -> Iterator[Frame]:
        yield from frames()
        (tmp_path / "gone").rmdir()

    (tmp_path / "gone").mkdir()
    run = PreparedRun(removes_the_folder(), NullSink())
    assert play(run, "-q", "--report", tmp_path / "gone" / "r.json") == run_stream.FAILED
    assert capsys.readouterr().err.startswith("error: --report ")


def test_run_that_cannot_start_leaves_no_empty_report(play: Play, tmp_path: Path) -> None:
    class Unstartable(PreparedRun):
        def __enter__(self) -> Self:
            raise SourceError("clip.mp4: no such file")

    old = tmp_path / "old.json"
    old.write_text("{}")
    for place in (old, tmp_path / "new.json"):
        assert play(Unstartable(frames(), NullSink()), "--report", place) == run_stream.USAGE
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert old.read_text() == "{}"


def test_debug_shows_the_traceback_and_keeps_the_exit_code(
    play: Play, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert play(PreparedRun(frames(), FullDisk()), "-q", "--debug") == run_stream.FAILED
    assert "Traceback" in caplog.text
    assert "error: out.mp4: no space left" in capsys.readouterr().err
    # The compiler writes thousands of lines for itself.
    assert not logging.getLogger("numba.core").isEnabledFor(logging.INFO)
    caplog.clear()

    def load(*_: object) -> PreparedRun:
        raise SourceError("clip.mp4: no such file")

    assert play(load, "--debug") == run_stream.USAGE
    assert "Traceback" in caplog.text


def test_preset_is_a_start_that_other_options_change(play: Play) -> None:
    configs: list[Config] = []

    def prepare(config: Config, _: object) -> PreparedRun:
        configs.append(config)
        return PreparedRun(frames(), NullSink())

    assert play(prepare, "--preset", "classic-2018", "--mask", "hull", "-q") == 0
    blend = configs[0].blend
    assert (blend.feather_profile, blend.color, blend.mask) == ("smooth_mask", "avg", "hull")


def test_unknown_preset_is_one_line(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(PreparedRun(frames(), NullSink()), "--preset", "slow") == run_stream.USAGE
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "'best', 'classic-2018', 'fast'" in error
