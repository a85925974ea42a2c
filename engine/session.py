"""Running a model.

Devices are chosen here, and what was asked for but not obtained is an error unless the device is
`auto`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine import onnx_file, profile
from engine.contracts import refusals
from engine.errors import ModelError
from engine.execution.devices import ALONE, DEVICES, NVIDIA, ONE_QUEUE, PROVIDERS, Device, Runtime
from engine.execution.gathering import Gathering
from engine.execution.half import answers_alike
from engine.execution.independence import rows_are_independent
from engine.execution.lane import BoundLane, Lane
from engine.execution.loading import Loader, one_line
from engine.execution.tuning import MOST_ROWS

__all__ = ["DEVICES", "PROVIDERS", "Device", "Runtime", "Session"]

_log = logging.getLogger(__name__)

_ELEMENT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Session:
    """A loaded model on one device; any number of threads may run it at a time.

    They share the model where ONNX Runtime allows it. With CUDA graphs, and on DirectML, a thread
    that finds the model in use by another one loads it once more. Without graphs, threads that
    come at the same time are served as one batch, on devices that do one thing at a time.

    Attributes:
        device: what it runs on: one of `DEVICES`, not 'auto'.
        inputs, outputs: tensor name to (shape, dtype); a free dimension is None.
        metadata: the model file's own key-value pairs.
        half: it computes in float16 what is stored so; TensorRT does without saying.
        loads: how many times the model was loaded.
        gathering: makes one batch of what several threads want; None where each runs its own.
    """

    def __init__(  # noqa: PLR0913 - what can be had, and what is wanted of it
        self,
        path: Path,
        device: Device = "auto",
        threads: int = 1,
        *,
        graphs: bool = True,
        half: bool = True,
        gather: bool = True,
        profile_prefix: Path | None = None,
    ) -> None:
        """Load a model.

        Args:
            path: an ONNX file.
            device: where to run; `auto` takes the best that works.
            threads: processor threads inside one run.
            graphs: let CUDA replay recorded runs, where the model allows it. They belong to one
                thread: without them, many threads can share what is loaded once.
            half: on CUDA compute in float16 if the weights are stored so, all operators can, and
                answers to noise stay the same.
            gather: without graphs, make one batch of what several threads want at the same time,
                if rows of this model do not depend on each other and the device has one queue.
            profile_prefix: how the name of the file begins in which ONNX Runtime records what it
                does until `executed` is called; None for no record. It costs time.

        Raises:
            ModelError: there is no such file, it is not a model that can be loaded, or one that
                is not to be run (`engine.contracts.refusals`).
            DeviceError: the device that was asked for cannot be had here.
        """
        if not path.is_file():
            raise ModelError(f"model {path}: no such file; give a path to an .onnx file")
        described = onnx_file.read(path)
        if reasons := refusals(described):
            raise ModelError(f"model {path}: not run: {'; '.join(reasons)}")
        self._path = path
        rows = {tensor.name: _row(tensor) for tensor in described.inputs}
        loader = Loader(path, threads, rows, graphs, half, profile_prefix)
        self._load(loader, device)
        if self.half:
            stored = Session(path, "cpu", threads)
            if not answers_alike(self._run, stored.run, self.inputs, self.outputs):
                _log.info("model %s: computing in float32, float16 gives other answers", path)
                self._load(replace(loader, half=False), device)
        self.gathering: Gathering | None = None
        if gather and not graphs and self.device in ONE_QUEUE:
            if rows_are_independent(self._run, self.inputs, self.outputs):
                self.gathering = Gathering(self._run, MOST_ROWS)
            else:
                _log.info("model %s: threads' rows are not run together", path)

    def _load(self, loader: Loader, device: Device) -> None:
        self._loaded = loader.load(device)
        self.device, self._session = self._loaded.device, self._loaded.session
        self.half = self._loaded.half
        self.loads = 1
        self.inputs = {node.name: _signature(node) for node in self._session.get_inputs()}
        self.outputs = {node.name: _signature(node) for node in self._session.get_outputs()}
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        # Taking from and adding to a list is atomic.
        self._idle: list[Lane | BoundLane] = [self._lane(self._session)]

    def _lane(self, session: onnxruntime.InferenceSession) -> Lane | BoundLane:
        tensors = {**self.inputs, **self.outputs}
        if self.device not in NVIDIA or not all(map(_bindable, tensors.values())):
            return Lane(session)
        shapes = {name: shape for name, (shape, _) in tensors.items()}
        return BoundLane(session, "cuda", shapes, graphs=self._loaded.graphs)

    def run(
        self, outputs: list[str], feeds: Mapping[str, NDArray[np.floating]]
    ) -> list[NDArray[np.floating]]:
        """Run; releases the GIL. Any thread may call it.

        Args:
            outputs: names of the wanted tensors.
            feeds: input name to array, all with the same number of rows. More of them than
                `MOST_ROWS` are run in several parts.

        Returns:
            One new array for each wanted name.

        Raises:
            ModelError: the model or its device failed.
        """
        run = self._run if self.gathering is None else self.gathering.run
        return run(outputs, feeds)

    def _run(
        self, outputs: list[str], feeds: Mapping[str, NDArray[np.floating]]
    ) -> list[NDArray[np.floating]]:
        try:
            lane = self._idle.pop()
        except IndexError:
            lane = self._another_lane()
        try:
            return _in_parts(lane, outputs, feeds)
        except Exception as error:
            raise ModelError(
                f"model {self._path}: failed while running on {self.device} ({one_line(error)}); "
                "try --device cpu, or export it again"
            ) from error
        finally:
            self._idle.append(lane)

    def _another_lane(self) -> Lane | BoundLane:
        if not self._loaded.graphs and self.device not in ALONE:
            return self._lane(self._session)
        self.loads += 1
        return self._lane(self._loaded.again())

    def executed(self) -> dict[str, profile.Share]:
        """End the record that `profile_prefix` began, and tell who executed the nodes.

        Returns:
            ONNX Runtime's provider name to what it did, most nodes first.

        Raises:
            ModelError: the record could not be written.
        """
        return profile.read(Path(self._session.end_profiling()))


def _in_parts(
    lane: Lane | BoundLane, outputs: list[str], feeds: Mapping[str, NDArray[np.floating]]
) -> list[NDArray[np.floating]]:
    count = max(map(len, feeds.values()), default=0)
    if count <= MOST_ROWS:
        return lane.run(outputs, feeds)
    parts = [
        lane.run(outputs, {name: value[start : start + MOST_ROWS] for name, value in feeds.items()})
        for start in range(0, count, MOST_ROWS)
    ]
    return [np.concatenate(same) for same in zip(*parts, strict=True)]


def _signature(node: onnxruntime.NodeArg) -> tuple[tuple[int | None, ...], type | None]:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return shape, _ELEMENT_TYPES.get(node.type)


def _bindable(tensor: tuple[tuple[int | None, ...], type | None]) -> bool:
    """Whether room for a tensor can be set aside once its number of rows is known."""
    shape, dtype = tensor
    return dtype is np.float32 and len(shape) > 1 and None not in shape[1:]


def _row(tensor: onnx_file.Tensor) -> tuple[int, ...]:
    return tuple(size for size in tensor.shape[1:] if isinstance(size, int))
