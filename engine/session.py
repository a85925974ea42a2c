"""Running a model: the only file that knows ONNX Runtime.

Providers are chosen here, and what was asked for but not obtained is an error unless the
device is `auto`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine import onnx_file, profile
from engine.contracts import refusals
from engine.errors import DeviceError, ModelError

Device: TypeAlias = Literal["auto", "cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = get_args(Device)

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
"""ONNX Runtime's names of the devices."""
_ELEMENT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}

logger = logging.getLogger(__name__)


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


class Session:
    """A loaded model on one device, for use by one thread at a time.

    Attributes:
        device: what it runs on: 'cpu', 'cuda' or 'tensorrt'.
        inputs, outputs: tensor name to (shape, dtype); a free dimension is None.
        metadata: the model file's own key-value pairs.
    """

    def __init__(
        self,
        path: Path,
        device: Device = "auto",
        threads: int = 1,
        *,
        profile_prefix: Path | None = None,
    ) -> None:
        """Load a model.

        Args:
            path: an ONNX file.
            device: where to run; `auto` takes the best that works.
            threads: processor threads inside one run.
            profile_prefix: how the name of the file begins in which ONNX Runtime records what it
                does until `executed` is called; None for no record. It costs time.

        Raises:
            ModelError: there is no such file, it is not a model that can be loaded, or one that
                is not to be run (`engine.contracts.refusals`).
            DeviceError: the device that was asked for cannot be had here.
        """
        if not path.is_file():
            raise ModelError(f"model {path}: no such file; give a path to an .onnx file")
        if reasons := refusals(onnx_file.read(path)):
            raise ModelError(f"model {path}: not run: {'; '.join(reasons)}")
        self._path = path
        self.device, self._session = _create(path, device, threads, profile_prefix)
        self.inputs = {node.name: _signature(node) for node in self._session.get_inputs()}
        self.outputs = {node.name: _signature(node) for node in self._session.get_outputs()}
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(
        self, outputs: list[str], feeds: Mapping[str, NDArray[np.floating]]
    ) -> list[NDArray[np.floating]]:
        """Run once; releases the GIL.

        Args:
            outputs: names of the wanted tensors.
            feeds: input name to array.

        Returns:
            One new array for each wanted name.

        Raises:
            ModelError: the model or its device failed.
        """
        try:
            results: list[NDArray[np.floating]] = self._session.run(outputs, dict(feeds))
        except Exception as error:
            raise ModelError(
                f"model {self._path}: failed while running on {self.device} ({_reason(error)}); "
                "try --device cpu, or export it again"
            ) from error
        return results

    def executed(self) -> dict[str, profile.Share]:
        """End the record that `profile_prefix` began, and tell who executed the nodes.

        Returns:
            ONNX Runtime's provider name to what it did, most nodes first.

        Raises:
            ModelError: the record could not be written.
        """
        return profile.read(Path(self._session.end_profiling()))


def _create(
    path: Path, device: Device, threads: int, profile_prefix: Path | None
) -> tuple[str, onnxruntime.InferenceSession]:
    """Try the devices that come into question, best first."""
    available = onnxruntime.get_available_providers()
    candidates = ("cuda", "cpu") if device == "auto" else (device,)
    reasons = []
    for candidate in candidates:
        provider = PROVIDERS[candidate]
        if provider not in available:
            reasons.append(f"{candidate}: this build of ONNX Runtime has no {provider}")
            continue
        if candidate != "cpu" and (missing := _missing_gpu()):
            reasons.append(f"{candidate}: {missing}")
            continue
        try:
            session = _load(path, provider, threads, profile_prefix)
        except ModelError as error:
            if candidate == candidates[-1]:
                raise
            logger.warning("not running on %s: %s", candidate, error)
            continue
        # ONNX Runtime falls back to the CPU silently; what it really uses comes first.
        obtained = session.get_providers()[0]
        if obtained == provider:
            if reasons:
                logger.info("running on %s (%s)", candidate, "; ".join(reasons))
            return candidate, session
        reason = (
            f"ONNX Runtime {onnxruntime.__version__} fell back to {obtained}; "
            "its CUDA 13 or cuDNN 9 libraries were not found"
        )
        reasons.append(f"{candidate}: {reason}")
        if candidate != candidates[-1]:
            logger.warning("not running on %s: %s", candidate, reason)
    why = "; ".join(reasons)
    raise DeviceError(
        f"device {device} is not available ({why}); use --device auto to fall back to the CPU", why
    )


def _missing_gpu() -> str | None:
    """Why no NVIDIA GPU can work here, or None; also loads its libraries from packages."""
    if os.name == "posix" and not Path("/dev/nvidiactl").exists() and not _is_wsl():
        return "no NVIDIA GPU (/dev/nvidiactl does not exist)"
    # CUDA and cuDNN may come as Python packages, which the loader path does not cover.
    onnxruntime.preload_dlls()
    return None


def _is_wsl() -> bool:
    return Path("/dev/dxg").exists()


def _load(
    path: Path, provider: str, threads: int, profile_prefix: Path | None
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    if profile_prefix is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile_prefix)
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if threads == 1:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [provider] if provider == PROVIDERS["cpu"] else [provider, PROVIDERS["cpu"]]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        raise ModelError(
            f"model {path}: ONNX Runtime cannot load it ({_reason(error)}); "
            "expected an ONNX file exported by `python -m export onnx`"
        ) from error


def _reason(error: Exception) -> str:
    """One line of what ONNX Runtime says; it raises a family of unrelated exception types."""
    return " ".join(str(error).split())[:200]


def _signature(node: onnxruntime.NodeArg) -> tuple[tuple[int | None, ...], type | None]:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return shape, _ELEMENT_TYPES.get(node.type)
