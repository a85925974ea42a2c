from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.blend import BlendSettings
from engine.errors import ModelError
from stream.control import Control
from stream.errors import ConfigError
from stream.frame import SourceInfo
from stream.health import Health
from stream.live_settings import LiveSettings
from stream.recording import Recorder
from stream.report import Percentiles, Report
from stream.sinks import SinkSettings

REPORT = Report(
    frames_in=3,
    frames_out=2,
    dropped=1,
    failed=0,
    held=0,
    withheld=0,
    unproven=0,
    faces_found=2,
    faces_swapped=2,
    frames_without_face=0,
    wall_s=1.0,
    age_ms=Percentiles(1, 2, 3),
    stages={},
    links={},
    source={"rtsp://host/cam": Health("lost", "no answer", losses=2)},
    sinks={"web": Health("running", sent=2)},
    live=True,
)


class Run:
    def __init__(self) -> None:
        self.source_info: SourceInfo | None = None
        self.live_settings = LiveSettings(BlendSettings(), 1, "maro")
        self.moving: Report | None = None
        self.refusal: ModelError | None = None

    def apply(self, settings: LiveSettings) -> None:
        if self.refusal:
            raise self.refusal
        self.live_settings = settings

    def report(self) -> Report | None:
        return self.moving

    def describe(self) -> Mapping[str, Any]:
        return {"model": "maro"}


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def control(run: Run, tmp_path: Path) -> Control:
    return Control(run, Recorder(tmp_path, SinkSettings()))


def test_status_before_and_after_the_first_picture(run: Run, control: Control) -> None:
    status = control.status()
    assert (status["state"], status["source"], status["report"]) == ("waiting", None, None)
    run.source_info, run.moving = SourceInfo("rtsp://host/cam", 640, 480), REPORT
    status = json.loads(json.dumps(control.status()))
    assert status["state"] == "running"
    assert status["source"]["width"] == 640
    assert status["source"]["connections"]["rtsp://host/cam"]["losses"] == 2
    assert status["sinks"]["web"]["state"] == "running"
    assert status["report"]["frames_out"] == 2
    assert status["model"] == "maro"


def test_settings_change(run: Run, control: Control) -> None:
    after = control.change({"opacity": 0.25, "faces": 2})
    assert after == control.settings()
    assert after["opacity"]["value"] == 0.25
    assert run.live_settings == LiveSettings(BlendSettings(opacity=0.25), 2, "maro")


def test_refused_changes_leave_everything_as_it_was(run: Run, control: Control) -> None:
    before = control.settings()
    with pytest.raises(ConfigError, match="feather"):
        control.change({"opacity": 0.5, "feather": 9})
    run.refusal = ModelError("model mine.onnx: damaged")
    with pytest.raises(ConfigError, match="damaged"):
        control.change({"opacity": 0.5})
    assert control.settings() == before


def test_model_of_the_start_stays_on_offer(run: Run, tmp_path: Path) -> None:
    run.live_settings = replace(run.live_settings, model="mine.onnx")
    control = Control(run, Recorder(tmp_path, SinkSettings()))
    control.change({"model": "maro"})
    assert control.change({"model": "mine.onnx"})["model"]["value"] == "mine.onnx"


def test_nothing_to_record_before_the_first_picture(control: Control) -> None:
    with pytest.raises(ConfigError, match="nothing to record yet"):
        control.start_recording()
    with pytest.raises(ConfigError, match="no recording"):
        control.stop_recording()
