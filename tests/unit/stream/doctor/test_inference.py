from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.profile import Share
from engine.session import Device, Runtime
from stream.doctor import inference
from stream.doctor.inference import Facts
from stream.findings import Finding
from stream.inspection.latency import Latency, Trial

RUNTIME = Runtime("1.31.1", "onnxruntime-gpu", "13.0", ("CUDAExecutionProvider",))
ANSWER = np.full((1, 3, 4, 4), 0.5, np.float32)
CPU = {"CPUExecutionProvider": Share(37, 9.0)}


def trial(
    device: Device, executed: Mapping[str, Share], answer: np.ndarray = ANSWER, problem: str = ""
) -> Trial:
    return Trial(device, problem, executed, {1: Latency(2.0, 3.0, 9)}, {"swapped": answer})


def line(*trials: Trial, runtime: Runtime = RUNTIME) -> Finding:
    """The line about the last of the trials."""
    return inference.judge(Facts(runtime, trials))[len(trials)]


def test_the_processor() -> None:
    found = line(trial("cpu", CPU))
    assert found.verdict == "ok"
    assert found.says == "37 of 37 nodes executed by CPUExecutionProvider; 2.00 ms a face"


def test_a_gpu_that_did_the_work() -> None:
    executed = {"CUDAExecutionProvider": Share(35, 1.0), "CPUExecutionProvider": Share(2, 0.1)}
    found = line(trial("cpu", CPU), trial("cuda", executed))
    assert found.verdict == "ok"
    assert "35 of 37 nodes executed by CUDAExecutionProvider, 2 of 37" in found.says


def test_a_gpu_that_was_granted_and_did_nothing() -> None:
    found = line(trial("cpu", CPU), trial("cuda", CPU))
    assert found.verdict == "warn"
    assert "the processor did all of it" in found.says
    assert found.fix


def test_a_gpu_that_did_half() -> None:
    executed = {"CUDAExecutionProvider": Share(20, 1.0), "CPUExecutionProvider": Share(20, 5.0)}
    assert "the processor did 50% of it" in line(trial("cpu", CPU), trial("cuda", executed)).says


def test_a_gpu_that_answers_no_numbers() -> None:
    executed = {"CUDAExecutionProvider": Share(37, 1.0)}
    found = line(trial("cpu", CPU), trial("cuda", executed, ANSWER * np.nan))
    assert found.verdict == "warn"
    assert "no numbers" in found.says
    assert "fp32" in found.fix


def test_a_gpu_that_answers_something_else() -> None:
    executed = {"CUDAExecutionProvider": Share(37, 1.0)}
    found = line(trial("cpu", CPU), trial("cuda", executed, ANSWER + np.float32(0.1)))
    assert found.verdict == "warn"
    assert "differs from the processor's answer by up to 0.1" in found.says


def test_a_device_that_is_not_there_is_a_note() -> None:
    found = line(trial("cpu", CPU), trial("cuda", {}, problem="no NVIDIA GPU"))
    assert (found.verdict, found.says) == ("note", "no NVIDIA GPU")


def test_a_processor_that_does_not_work_fails() -> None:
    assert line(trial("cpu", {}, problem="model is damaged")).verdict == "fail"
    assert line(trial("cpu", CPU, ANSWER * np.inf)).verdict == "fail"


def test_providers_that_are_not_used_are_named() -> None:
    runtime = Runtime("1.31.1", "onnxruntime", "", ("QNNExecutionProvider",))
    found = inference.judge(Facts(runtime, (trial("cpu", CPU),)))[-1]
    assert found.verdict == "note"
    assert "QNNExecutionProvider" in found.says
