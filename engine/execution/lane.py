"""One caller's way through a model: an ONNX Runtime session, and buffers in the device's memory."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.execution.tuning import buffer_rows, records_graph

Arrays = Mapping[str, NDArray[np.floating]]

_NO_GRAPH: Final = -1

logger = logging.getLogger(__name__)


class Lane:
    """Runs a model in the processor's memory; ONNX Runtime allows many threads at a time."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        """Keep the loaded model."""
        self._session = session

    def run(self, outputs: Sequence[str], feeds: Arrays) -> list[NDArray[np.floating]]:
        """Run once; releases the GIL.

        Args:
            outputs: names of the wanted tensors.
            feeds: input name to array; they have the same number of rows.

        Returns:
            One new array for each wanted name.
        """
        results: list[NDArray[np.floating]] = self._session.run(list(outputs), dict(feeds))
        return results


@dataclass(frozen=True, slots=True)
class _Buffers:
    """What one batch size needs: fixed places in the device's memory."""

    binding: onnxruntime.IOBinding
    inputs: Mapping[str, onnxruntime.OrtValue]
    outputs: Sequence[onnxruntime.OrtValue]
    staging: Arrays
    options: onnxruntime.RunOptions
    without_graph: onnxruntime.RunOptions


class BoundLane:
    """Runs a model with inputs and outputs that stay where they are; for one thread at a time.

    Nothing is allocated on the device once a batch size has been seen. Where the session was
    loaded with CUDA graphs, the second run of a small batch replays what the first one did.

    Attributes:
        allocations: how many sets of buffers were made.
        graphs: the runs of small batches are recorded and replayed; ends with the first failure.
    """

    _graph_ids = itertools.count(1)

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        memory: str,
        shapes: Mapping[str, tuple[int | None, ...]],
        *,
        graphs: bool,
    ) -> None:
        """Keep the loaded model; buffers are made when they are needed.

        Args:
            session: the loaded model.
            memory: ONNX Runtime's name of the device that holds the buffers, 'cuda' or 'cpu'.
            shapes: of each tensor; a number of rows that is not None never changes.
            graphs: the session was loaded with CUDA graphs.
        """
        self._session = session
        self._memory = memory
        self._shapes = shapes
        self._buffers: dict[tuple[int, tuple[str, ...]], _Buffers] = {}
        self.allocations = 0
        self.graphs = graphs

    def run(self, outputs: Sequence[str], feeds: Arrays) -> list[NDArray[np.floating]]:
        """Run once, as `Lane.run`; the arrays are float32, contiguous or copied.

        Raises:
            ValueError: an input has another shape than the model's.
        """
        rows = len(next(iter(feeds.values())))
        buffers = self._for_rows(rows, tuple(outputs), feeds)
        for name, value in feeds.items():
            place = buffers.staging[name]
            source = value
            if rows < len(place):
                place[:rows] = value
                source = place
            buffers.inputs[name].update_inplace(np.ascontiguousarray(source, np.float32))
        self._execute(buffers)
        # In the processor's memory `numpy` is a view, which the next run would overwrite.
        copy = self._memory == "cpu"
        return [np.array(value.numpy()[:rows], copy=copy or None) for value in buffers.outputs]

    def _execute(self, buffers: _Buffers) -> None:
        if not self.graphs:
            self._session.run_with_iobinding(buffers.binding, buffers.without_graph)
            return
        try:
            self._session.run_with_iobinding(buffers.binding, buffers.options)
        except Exception as error:  # noqa: BLE001 - a family of unrelated types
            # Another thread's call into CUDA is enough to spoil a recording.
            self.graphs = False
            logger.info("CUDA graphs are off: %s", " ".join(str(error).split())[:200])
            self._session.run_with_iobinding(buffers.binding, buffers.without_graph)

    def _for_rows(self, rows: int, outputs: tuple[str, ...], feeds: Arrays) -> _Buffers:
        for name, value in feeds.items():
            shape = self._shapes[name]
            if len(shape) != value.ndim or any(
                want not in (None, got) for want, got in zip(shape, value.shape, strict=True)
            ):
                raise ValueError(f"input {name} is {value.shape}, expected {shape}")
        fixed = any(self._shapes[name][0] is not None for name in (*feeds, *outputs))
        room = rows if fixed else buffer_rows(rows)
        key = room, outputs
        if key not in self._buffers:
            self._buffers[key] = self._allocate(room, outputs, feeds)
        return self._buffers[key]

    def _allocate(self, rows: int, outputs: tuple[str, ...], feeds: Arrays) -> _Buffers:
        def room(row: Sequence[int | None]) -> onnxruntime.OrtValue:
            return onnxruntime.OrtValue.ortvalue_from_shape_and_type(
                [rows, *row], np.float32, self._memory, 0
            )

        binding = self._session.io_binding()
        inputs = {name: room(array.shape[1:]) for name, array in feeds.items()}
        results = [room(self._shapes[name][1:]) for name in outputs]
        for name, place in inputs.items():
            binding.bind_ortvalue_input(name, place)
        for name, place in zip(outputs, results, strict=True):
            binding.bind_ortvalue_output(name, place)
        self.allocations += 1
        graph = next(self._graph_ids) if records_graph(rows) else _NO_GRAPH
        return _Buffers(
            binding,
            inputs,
            results,
            {name: np.zeros((rows, *array.shape[1:]), np.float32) for name, array in feeds.items()},
            _run_options(graph),
            _run_options(_NO_GRAPH),
        )


def _run_options(graph: int) -> onnxruntime.RunOptions:
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(graph))
    return options
