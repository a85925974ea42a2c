from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pytest

from engine.face import Face, Swap
from stream.documented import Documented
from stream.errors import SinkError
from stream.frame import Frame
from stream.outputs import file_of
from stream.sinks import Sink

FACTS = {"model": {"name": "tiny"}, "rate": str(Fraction(1, 2))}


class FileSink:
    leaky = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended_with: BaseException | None = None

    def __enter__(self) -> Self:
        self.path.write_text("begun")
        return self

    def write(self, frame: Frame) -> None:
        if frame.seq == 99:
            raise SinkError("disk full")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended_with = error
        self.path.write_text("finished")


def frame(seq: int) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), pts_ns=seq, seq=seq, captured_ns=0)


def shown_face(frame: Frame) -> Frame:
    swap = Swap(np.zeros((2, 2, 3), np.uint8), None, np.eye(2, 3))
    return replace(frame, faces=(Face(np.zeros((478, 2), np.float32), 0, swap=swap),))


def lines(path: Path) -> list[dict[str, Any]]:
    log = path.with_name(path.name + ".session.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_finished_file_is_signed_and_then_put_down(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    seen: list[tuple[str, bool]] = []

    def sign(file: Path, *, swapped: bool) -> None:
        seen.append((file.read_text(), swapped))
        file.write_text("signed")

    with Documented(FileSink(path), path, lambda: FACTS, sign) as sink:
        assert not path.with_name("a.mp4.session.jsonl").exists()
        sink.write(frame(0))
        (start,) = lines(path)
        for seq in (1, 2):
            sink.write(frame(seq))
    assert seen == [("finished", False)]
    _, end = lines(path)
    assert start["event"] == "start"
    assert start["model"] == end["model"] == {"name": "tiny"}
    assert (end["frames"], end["frames_with_swap"]) == (3, 0)
    assert end["signed"]
    assert end["sha256"] == hashlib.sha256(b"signed").hexdigest()
    assert end["error"] is None


@pytest.mark.parametrize("shows", ["swap", "repeat"])
def test_a_file_with_a_swap_in_it_is_signed_as_such(tmp_path: Path, shows: str) -> None:
    path = tmp_path / "a.mp4"
    seen: list[bool] = []
    other = replace(frame(1), held=True) if shows == "repeat" else shown_face(frame(1))

    def sign(_: Path, *, swapped: bool) -> None:
        seen.append(swapped)

    with Documented(FileSink(path), path, lambda: FACTS, sign) as sink:
        sink.write(frame(0))
        sink.write(other)
        sink.write(frame(2))
    assert seen == [True]
    assert lines(path)[-1]["frames_with_swap"] == 1


def test_a_failure_is_put_down_and_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    inner = FileSink(path)
    with (
        pytest.raises(SinkError, match="disk full"),
        Documented(inner, path, lambda: FACTS, None) as sink,
    ):
        sink.write(frame(99))
    assert isinstance(inner.ended_with, SinkError)
    end = lines(path)[-1]
    assert (end["error"], end["frames"], end["signed"]) == ("disk full", 0, False)


def test_a_signature_that_fails_is_an_error_and_put_down(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"

    def sign(_: Path, *, swapped: bool) -> None:
        raise SinkError("not signed")

    with (
        pytest.raises(SinkError, match="not signed"),
        Documented(FileSink(path), path, lambda: FACTS, sign) as sink,
    ):
        sink.write(frame(0))
    assert path.read_text() == "finished"
    assert (lines(path)[-1]["signed"], lines(path)[-1]["error"]) == (False, "not signed")


def test_a_log_that_cannot_begin_leaves_a_finished_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    (tmp_path / "a.mp4.session.jsonl").mkdir()
    sink: Sink = Documented(FileSink(path), path, lambda: FACTS, None)
    with pytest.raises(SinkError, match="session log"), sink:
        sink.write(frame(0))
    assert path.read_text() == "finished"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("a.mp4", "a.mp4"),
        ("side-by-side:b.png", "b.png"),
        ("out/", "out"),
        ("out/%06d.png", "out"),
        ("null", None),
        ("web", None),
        ("virtual-camera:/dev/video9", None),
        ("rtsp://server/live.mp4", None),
        ("hls/live.m3u8", None),
    ],
)
def test_which_outputs_are_files(url: str, file: str | None) -> None:
    assert file_of(url) == (Path(file) if file else None)


def test_an_old_file_that_no_frame_replaced_is_not_this_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    log = tmp_path / "a.mp4.session.jsonl"
    log.write_text("of the old file")
    signed: list[Path] = []

    def sign(path: Path, *, swapped: bool) -> None:
        signed.append(path)

    with Documented(FileSink(path), path, lambda: FACTS, sign):
        pass
    assert not signed
    assert log.read_text() == "of the old file"
