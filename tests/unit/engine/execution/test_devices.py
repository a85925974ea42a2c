from __future__ import annotations

import pytest

from engine.execution import devices
from engine.execution.devices import PROVIDERS, Runtime, candidates, not_built_in, not_obtained


def test_auto_begins_with_the_gpu_and_ends_with_the_processor() -> None:
    assert candidates("auto", engine_built=False) == ("cuda", "directml", "openvino", "cpu")


def test_auto_means_tensorrt_only_once_its_engine_is_built() -> None:
    assert candidates("auto", engine_built=True)[0] == "tensorrt"
    assert candidates("auto", engine_built=True)[-1] == "cpu"


@pytest.mark.parametrize("device", ["cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"])
def test_a_device_that_was_asked_for_is_never_replaced(device: devices.Device) -> None:
    assert candidates(device, engine_built=True) == (device,)


def test_build_without_a_provider_names_the_package_that_has_it() -> None:
    assert not_built_in("cpu", ["CPUExecutionProvider"]) is None
    assert not_built_in("openvino", ["CPUExecutionProvider"]) == (
        "this build of ONNX Runtime has no OpenVINOExecutionProvider; onnxruntime-openvino has it"
    )
    for device, provider in PROVIDERS.items():
        assert not_built_in(device, PROVIDERS.values()) is None
        assert provider in (not_built_in(device, []) or "")


def test_falling_back_is_explained_for_each_device() -> None:
    runtime = Runtime("1.31.1", "onnxruntime-gpu", "13.0", ())
    cuda = not_obtained("cuda", "CPUExecutionProvider", runtime)
    assert cuda == (
        "ONNX Runtime 1.31.1 fell back to CPUExecutionProvider; "
        "its CUDA 13 or cuDNN 9 libraries were not found"
    )
    assert "TensorRT 10, CUDA 13" in not_obtained("tensorrt", "CUDAExecutionProvider", runtime)
    assert "its device" in not_obtained("directml", "CPUExecutionProvider", runtime)
