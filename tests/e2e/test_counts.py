"""What cannot be noisy: how often a run loads, copies and allocates."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.execution import loading
from engine.session import Session
from engine.swap import Swapper
from stream.config import Config
from stream.frame import Frame
from stream.run import Run
from stream.shared_models import SharedModels
from stream.sources import SourceSettings

FRAMES = 10


def config() -> Config:
    settings = SourceSettings(duration_s=FRAMES / 25)
    return Config(out=("null",), mode="lossless", device="cpu", input=settings)


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every session that ONNX Runtime makes."""
    sessions: list[object] = []
    create = loading._create

    def counted(*arguments: object) -> object:
        sessions.append(create(*arguments))
        return sessions[-1]

    monkeypatch.setattr(loading, "_create", counted)
    return sessions


def test_a_run_loads_its_model_once_and_drops_nothing(created: list[object]) -> None:
    with Run(config()) as run:
        report = run.pipeline.run()
    assert len(created) == 1
    assert report.frames_out == report.faces_swapped == FRAMES
    assert report.dropped == report.failed == 0


@pytest.mark.parametrize(
    ("changes", "batches"),
    [
        ({}, [8, 2]),
        ({"batch_frames": 3}, [3, 3, 3, 1]),
        ({"input": SourceSettings(duration_s=FRAMES / 25, paced=True)}, [1] * FRAMES),
        ({"mode": "live"}, [1] * FRAMES),
    ],
    ids=["lossless", "as asked", "paced", "live"],
)
def test_frames_go_through_the_model_together_unless_they_come_at_their_own_pace(
    changes: dict[str, Any], batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    run_model = Session.run

    def counted(session: Session, outputs: list[str], feeds: dict[str, Any]) -> list[Any]:
        rows.append(len(feeds["face"]))
        return run_model(session, outputs, feeds)

    with Run(replace(config(), **changes)) as run:
        monkeypatch.setattr(Session, "run", counted)
        report = run.pipeline.run()
    assert rows == batches[: report.faces_swapped]
    assert report.faces_swapped == FRAMES - report.dropped


def test_runs_that_share_a_model_load_it_once(created: list[object]) -> None:
    models = SharedModels()
    with Run(config(), load_model=models) as one, Run(config(), load_model=models) as two:
        reports = [one.pipeline.run(), two.pipeline.run()]
    assert len(created) == models.count == 1
    assert [report.faces_swapped for report in reports] == [FRAMES, FRAMES]


def test_runs_that_share_nothing_load_their_own(created: list[object]) -> None:
    with Run(config(), load_model=Swapper), Run(config()):
        pass
    assert len(created) == 2


def test_a_closed_run_keeps_no_model() -> None:
    gc.disable()
    try:
        with Run(config(), load_model=Swapper) as run:
            run.pipeline.run()
            model = weakref.ref(run.stages["swap"].swapper)  # type: ignore[attr-defined]
        assert model() is None, "it waits for the garbage collector, and the next run loads its own"
    finally:
        gc.enable()
    assert run.to_json(run.pipeline.report())["device"] == "cpu"


def test_no_stage_copies_the_picture_or_makes_one_as_large() -> None:
    peaks = []
    with Run(config()) as run:
        for number, frame in enumerate(run.source):
            # A large picture, most of which is no face.
            image = np.full((2160, 3840, 3), 90, np.uint8)
            image[600:1320, 1200:2480] = frame.image
            large = replace(frame, image=image)
            tracemalloc.start()
            try:
                result = through(run, large)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert result.image is image
            if number >= FRAMES // 2:  # The face is found, and what is kept has been made.
                assert [face.swap is not None for face in result.faces] == [True]
                peaks.append(peak / image.nbytes)
    assert len(peaks) == FRAMES // 2
    assert max(peaks) < 0.25


def through(run: Run, frame: Frame) -> Frame:
    for stage in run.stages.values():
        result = stage(frame)
        assert result is not None
        frame = result
    return frame
