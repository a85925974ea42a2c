"""From a model file and the name of a device to a loaded model: tries, falls back, says why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import onnxruntime

from engine.errors import DeviceError, ModelError
from engine.execution import devices, tensorrt
from engine.execution.devices import NVIDIA, PROVIDERS, Device, Runtime
from engine.execution.half import computing_in_half
from engine.execution.tuning import Tuning, tune

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model on a device.

    Attributes:
        device: any of `DEVICES` but 'auto'.
        session: ONNX Runtime's.
        graphs: it was loaded with CUDA graphs.
        half: it computes in float16 what is stored so.
        again: loads it once more, in the same way.
    """

    device: str
    session: onnxruntime.InferenceSession
    graphs: bool
    half: bool
    again: Callable[[], onnxruntime.InferenceSession]


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads one model file.

    Attributes:
        path: the ONNX file.
        threads: processor threads inside one run.
        rows: shape of one row of each input.
        graphs: use CUDA graphs where they can be had.
        half: on CUDA compute in float16 what is stored so.
        profile_prefix: how the name of ONNX Runtime's record begins; None for no record.
    """

    path: Path
    threads: int
    rows: Mapping[str, tuple[int, ...]]
    graphs: bool
    half: bool
    profile_prefix: Path | None

    def load(self, device: Device) -> Loaded:
        """Try the devices that come into question, best first.

        Raises:
            ModelError: the last of them cannot load the model.
            DeviceError: none of them can be had here.
        """
        runtime = Runtime.installed()
        # Not looked for when nobody wants it: loading its libraries takes a second.
        engines = _engines(self.path, runtime) if device in {"auto", "tensorrt"} else None
        built = engines is not None and tensorrt.is_built(engines)
        choice = devices.candidates(device, engine_built=built)
        reasons: list[str] = []
        for candidate in choice:
            reason = _impossible(candidate, runtime, engines)
            if reason is None:
                try:
                    loaded = self._on(candidate, engines)
                except ModelError as error:
                    if candidate == choice[-1]:
                        raise
                    logger.warning("not running on %s: %s", candidate, error)
                    continue
                obtained = loaded.session.get_providers()[0]
                if obtained == PROVIDERS[candidate]:
                    if reasons:
                        logger.info("running on %s (%s)", candidate, "; ".join(reasons))
                    return loaded
                # ONNX Runtime falls back to the processor silently.
                reason = devices.not_obtained(candidate, obtained, runtime)
                if candidate != choice[-1]:
                    logger.warning("not running on %s: %s", candidate, reason)
            reasons.append(f"{candidate}: {reason}")
        why = "; ".join(reasons)
        raise DeviceError(
            f"device {device} is not available ({why}); use --device auto to fall back to the CPU",
            why,
        )

    def _on(self, device: str, engines: Path | None) -> Loaded:
        if self.graphs and device == "cuda":
            try:
                return self._created(device, engines, graphs=True)
            except ModelError as error:
                # Not every model can be recorded: all of its nodes have to be CUDA's.
                logger.info("without CUDA graphs: %s", error)
        return self._created(device, engines, graphs=False)

    def _created(self, device: str, engines: Path | None, *, graphs: bool) -> Loaded:
        cache = engines or Path()
        tuning = tune(device, self.threads, graphs=graphs, cache=cache, inputs=self.rows)
        if device == "tensorrt":
            cache.mkdir(parents=True, exist_ok=True)

        def create(model: str | bytes) -> onnxruntime.InferenceSession:
            return _create(self.path, model, tuning, self.profile_prefix)

        def create_half() -> onnxruntime.InferenceSession:
            # Written anew each time, not kept: threads seldom need one of their own.
            return create(computing_in_half(self.path) or str(self.path))

        # TensorRT chooses precisions on its own.
        content = computing_in_half(self.path) if self.half and device == "cuda" else None
        if content is not None:
            try:
                session = create(content)
            except ModelError as error:
                logger.info("computing in float32: %s", error)
            else:
                return Loaded(device, session, graphs, half=True, again=create_half)
        stored = str(self.path)
        return Loaded(device, create(stored), graphs, half=False, again=partial(create, stored))


def engine_can_be_built(path: Path) -> bool:
    """Whether TensorRT is installed and its engine of this model is not in the cache."""
    engines = _engines(path, Runtime.installed())
    return engines is not None and not tensorrt.is_built(engines)


def _engines(path: Path, runtime: Runtime) -> Path | None:
    """Where TensorRT's engines of a model are kept; None if it is not installed."""
    if PROVIDERS["tensorrt"] not in runtime.providers or devices.missing_gpu() is not None:
        return None
    version = tensorrt.load_tensorrt()
    return None if version is None else tensorrt.engine_folder(path, runtime, version)


def _impossible(device: str, runtime: Runtime, engines: Path | None) -> str | None:
    """Why it is no use to try a device, or None."""
    reason = devices.not_built_in(device, runtime.providers)
    if reason is None and device in NVIDIA:
        reason = devices.missing_gpu()
    if reason is None and device == "tensorrt" and engines is None:
        major = runtime.cuda.partition(".")[0] or "13"
        reason = f"TensorRT 10 is not installed: pip install tensorrt-cu{major}"
    return reason


def _create(
    path: Path, content: str | bytes, tuning: Tuning, profile_prefix: Path | None
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    if profile_prefix is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile_prefix)
    options.intra_op_num_threads = tuning.threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = tuning.memory_pattern
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(tuning.spinning)))
    try:
        return onnxruntime.InferenceSession(
            content,
            options,
            providers=tuning.providers,
            # Its own way of falling back prints to standard output.
            enable_fallback=0,
        )
    except Exception as error:
        raise ModelError(
            f"model {path}: ONNX Runtime cannot load it ({one_line(error)}); "
            "expected an ONNX file exported by `python -m export onnx`"
        ) from error


def one_line(error: Exception) -> str:
    """What ONNX Runtime says; it raises a family of unrelated exception types."""
    return " ".join(str(error).split())[:200]
