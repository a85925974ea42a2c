"""Every mismatch of card, driver, CUDA, cuDNN and ONNX Runtime has its line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.session import Runtime
from stream.doctor import gpu
from stream.doctor.gpu import Card, Facts, needed, parse_smi
from stream.findings import Finding

RUNTIME = Runtime(
    "1.31.1",
    "onnxruntime-gpu",
    "13.0",
    ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
)
CARD = Card("NVIDIA H200", 9.0, 143771, 143000)
GOOD = Facts(
    hardware=True,
    device=True,
    driver="580.65.06",
    cards=(CARD,),
    loads=tuple((name, True) for name in needed(13, "linux")),
    tensorrt=True,
)


def line(facts: Facts, subject: str, runtime: Runtime = RUNTIME) -> Finding:
    (found,) = [finding for finding in gpu.judge(facts, runtime) if finding.subject == subject]
    return found


def without(*missing: str) -> Facts:
    return replace(GOOD, loads=tuple((name, name not in missing) for name, _ in GOOD.loads))


def test_all_well() -> None:
    assert {finding.verdict for finding in gpu.judge(GOOD, RUNTIME)} == {"ok"}
    assert "NVIDIA H200, compute capability 9.0" in line(GOOD, "NVIDIA GPU").says


def test_no_gpu_is_no_fault() -> None:
    (found,) = gpu.judge(Facts(), RUNTIME)
    assert found.verdict == "note"


def test_no_gpu_has_nothing_said_about_its_libraries() -> None:
    assert len(gpu.judge(Facts(), replace(RUNTIME, cuda="", providers=()))) == 1


def test_card_without_driver() -> None:
    found = line(Facts(hardware=True), "NVIDIA GPU")
    assert "no driver is loaded" in found.says


def test_container_without_access() -> None:
    found = line(Facts(hardware=True, container=True), "NVIDIA GPU")
    assert "--gpus all" in found.fix


def test_driver_that_does_not_answer() -> None:
    found = line(replace(GOOD, driver="", cards=()), "NVIDIA GPU")
    assert "restart" in found.fix


def test_driver_too_old_for_cuda() -> None:
    found = line(replace(GOOD, driver="550.90.07"), "driver")
    assert found.verdict == "warn"
    assert "CUDA 13" in found.says
    assert "580 or later" in found.fix
    older = replace(RUNTIME, cuda="12.8")
    assert line(replace(GOOD, driver="550.90.07"), "driver", older).verdict == "ok"


def test_onnx_runtime_without_cuda_beside_a_gpu() -> None:
    runtime = Runtime("1.31.1", "onnxruntime", "", ("CPUExecutionProvider",))
    found = line(GOOD, "ONNX Runtime", runtime)
    assert found.verdict == "warn"
    assert found.fix == (
        "pip uninstall -y onnxruntime && pip install --no-cache-dir onnxruntime-gpu"
    )


def test_cudnn_missing() -> None:
    found = line(without("libcudnn.so.9"), "CUDA 13, cuDNN 9")
    assert found.verdict == "warn"
    assert "libcudnn.so.9" in found.says
    assert found.fix == "pip install 'onnxruntime-gpu[cuda,cudnn]==1.31.1'"


def test_cuda_of_another_version() -> None:
    missing = [name for name in needed(13, "linux") if "cudnn" not in name]
    found = line(replace(without(*missing), other_cuda=(12,)), "CUDA 13, cuDNN 9")
    assert "CUDA 12 is there, but this ONNX Runtime was built for 13.0" in found.says


def test_card_older_than_cuda_serves() -> None:
    facts = replace(GOOD, cards=(Card("GTX 1080 Ti", 6.1, 11264, 11000),))
    found = line(facts, "NVIDIA GPU")
    assert "CUDA 13 serves 7.5 and later" in found.says
    assert "--device cpu" in found.fix
    assert line(facts, "NVIDIA GPU", replace(RUNTIME, cuda="12.4")).verdict == "ok"


def test_card_newer_than_cuda() -> None:
    facts = replace(GOOD, cards=(Card("RTX 5090", 12.0, 32607, 32000),))
    assert line(facts, "NVIDIA GPU").verdict == "ok"
    found = line(facts, "NVIDIA GPU", replace(RUNTIME, cuda="12.4"))
    assert found.verdict == "warn"
    assert "does not know this card" in found.says
    assert line(facts, "NVIDIA GPU", replace(RUNTIME, cuda="12.8")).verdict == "ok"


def test_memory_that_somebody_else_has() -> None:
    facts = replace(GOOD, cards=(Card("RTX 3060", 8.6, 12288, 300),))
    assert line(facts, "NVIDIA GPU").verdict == "warn"


def test_tensorrt_is_optional() -> None:
    found = line(replace(GOOD, tensorrt=False), "TensorRT")
    assert found.verdict == "note"
    assert "tensorrt-cu13" in found.fix


def test_nothing_about_a_gpu_stops_the_default_job() -> None:
    bad = replace(without(*needed(13, "linux")), driver="400.1", tensorrt=False)
    assert all(finding.verdict != "fail" for finding in gpu.judge(bad, RUNTIME))


def test_libraries_by_version_and_system() -> None:
    assert needed(13, "linux")[0] == "libcudart.so.13"
    assert "libcufft.so.12" in needed(13, "linux")
    assert "libcufft.so.11" in needed(12, "linux")
    assert needed(13, "win32")[0] == "cudart64_13.dll"


@pytest.mark.parametrize(
    ("answer", "driver", "names"),
    [
        ("580.65.06, 9.0, 143771, 143000, NVIDIA H200\n", "580.65.06", ["NVIDIA H200"]),
        (
            "580.65, 8.6, 10, 9, A, with comma\n580.65, 8.6, 10, 9, B\n",
            "580.65",
            ["A, with comma", "B"],
        ),
        ("NVIDIA-SMI has failed because it couldn't communicate, with, the, driver, x", "", []),
        ("580.65.06, [N/A], 10, 9, Odd\n", "", []),
        ("", "", []),
    ],
)
def test_answers_of_nvidia_smi(answer: str, driver: str, names: list[str]) -> None:
    found, cards = parse_smi(answer)
    assert found == driver
    assert [card.name for card in cards] == names
