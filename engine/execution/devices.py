"""The devices that a model can run on, by our names and by ONNX Runtime's."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import onnxruntime

Device: TypeAlias = Literal["auto", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"]
DEVICES: Final[tuple[Device, ...]] = get_args(Device)

PROVIDERS: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
"""ONNX Runtime's names of the devices."""

NVIDIA: Final = frozenset({"cuda", "tensorrt"})
"""Devices whose memory is bound, so that nothing is allocated while frames flow."""

ALONE: Final = frozenset({"directml"})
"""Devices on which two threads must not run one ONNX Runtime session at a time."""

ONE_QUEUE: Final = NVIDIA | ALONE
"""Devices that do one run after the other whoever asks, and where a batch of several rows takes
little longer than a batch of one. On the processor threads run beside each other."""

_PACKAGES: Final = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "openvino": "onnxruntime-openvino",
    "coreml": "onnxruntime (on macOS)",
    "directml": "onnxruntime-directml (on Windows)",
}


@dataclass(frozen=True, slots=True)
class Runtime:
    """The installed ONNX Runtime.

    Attributes:
        version: such as '1.31.1'.
        package: the distribution that the imported code says it is from.
        cuda: version of CUDA that it was built for, empty if for none.
        providers: what it was built with, by ONNX Runtime's names; nothing says that they work.
    """

    version: str
    package: str
    cuda: str
    providers: tuple[str, ...]

    @classmethod
    def installed(cls) -> Runtime:
        """Ask ONNX Runtime."""
        return cls(
            version=onnxruntime.__version__,
            package=getattr(onnxruntime, "package_name", "") or "onnxruntime",
            cuda=getattr(onnxruntime, "cuda_version", "") or "",
            providers=tuple(onnxruntime.get_available_providers()),
        )

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices that this build has a provider for, the processor first."""
        return tuple(name for name in DEVICES if PROVIDERS.get(name) in self.providers)


def candidates(device: Device, *, engine_built: bool) -> tuple[str, ...]:
    """The devices that come into question, best first.

    `auto` never means TensorRT before its engine has been built, which takes minutes, and never
    Core ML, which comes with every build for macOS and suits few models.

    Args:
        device: what was asked for.
        engine_built: TensorRT's engine for the model lies in the cache.
    """
    if device != "auto":
        return (device,)
    return (*(("tensorrt",) if engine_built else ()), "cuda", "directml", "openvino", "cpu")


def not_built_in(device: str, providers: Collection[str]) -> str | None:
    """Why this ONNX Runtime cannot serve a device at all, or None.

    Args:
        device: any but 'auto'.
        providers: that the build has.
    """
    provider = PROVIDERS[device]
    if provider in providers:
        return None
    package = _PACKAGES.get(device, "onnxruntime")
    return f"this build of ONNX Runtime has no {provider}; {package} has it"


def not_obtained(device: str, obtained: str, runtime: Runtime) -> str:
    """What it means that ONNX Runtime took another provider than the one asked for.

    Args:
        device: that was asked for.
        obtained: the provider that comes first instead.
        runtime: which ONNX Runtime did so.
    """
    says = f"ONNX Runtime {runtime.version} fell back to {obtained}; "
    major = runtime.cuda.partition(".")[0] or "13"
    if device == "cuda":
        return f"{says}its CUDA {major} or cuDNN 9 libraries were not found"
    if device == "tensorrt":
        return f"{says}its TensorRT 10, CUDA {major} or cuDNN 9 libraries were not found"
    return f"{says}its libraries or its device were not found"


def missing_gpu() -> str | None:
    """Why no NVIDIA GPU can work here, or None; also loads its libraries from packages."""
    if os.name == "posix" and not Path("/dev/nvidiactl").exists() and not Path("/dev/dxg").exists():
        return "no NVIDIA GPU (/dev/nvidiactl does not exist)"
    # CUDA and cuDNN may come as Python packages, which the loader path does not cover.
    onnxruntime.preload_dlls()
    return None
