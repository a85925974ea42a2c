"""What the machine allows at most: how fast it copies memory, and how fast it multiplies.

A stage cannot take less time than moving the bytes that it has to read and write at the measured
bandwidth, nor less than its network's multiplications at the measured peak. Both are of one thread
of the processor, or of the device that runs the model.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from engine.session import Device, Session

_COPIED: Final = 64 << 20
"""Bytes: no cache holds both sides."""
_ROUNDS: Final = 7
_SIDES: Final = {True: (256, 1024, 1024), False: (4096, 4096, 4096)}
"""Rows, inner and columns of a product: large enough for full speed, on the CPU in its cache."""


@dataclass(frozen=True, slots=True)
class Roof:
    """What one thread of the processor, or the device, can do.

    Attributes:
        bytes_per_s: read and written together, by copying.
        macs_per_s: float32 multiply-accumulates, by ONNX Runtime's own matrix product.
    """

    bytes_per_s: float
    macs_per_s: float

    def bound_ms(self, work: Work) -> float:
        """The least time that the work takes in milliseconds."""
        return max(work.moved / self.bytes_per_s, work.macs / self.macs_per_s) * 1e3


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be done, however it is done.

    Attributes:
        moved: bytes that have to be read or written, each once.
        macs: multiply-accumulates of the network.
    """

    moved: float
    macs: float = 0.0


def measure(device: Device) -> Roof:
    """Measure the machine: bandwidth of one processor thread, peak of the device."""
    source = np.ones(_COPIED, np.uint8)
    target = np.empty_like(source)
    seconds = _best_s(lambda: np.copyto(target, source))
    return Roof(2 * _COPIED / seconds, _peak(device))


def _peak(device: Device) -> float:
    rows, inner, columns = _SIDES[device == "cpu"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "product.onnx"
        onnx.save(_product(rows, inner, columns), path)
        session = Session(path, device, threads=1)
        feed = {"left": np.full((rows, inner), 0.5, np.float32)}
        seconds = _best_s(lambda: session.run(["sums"], feed))
    return rows * inner * columns / seconds


def _product(rows: int, inner: int, columns: int) -> onnx.ModelProto:
    """A matrix times a constant one; only sums of it leave the device."""
    weights = np.random.default_rng(0).random((inner, columns), dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["left", "right"], ["product"]),
            helper.make_node("ReduceSum", ["product", "axis"], ["sums"], keepdims=1),
        ],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, [rows, inner])],
        [helper.make_tensor_value_info("sums", TensorProto.FLOAT, [rows, 1])],
        [
            numpy_helper.from_array(weights, "right"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def _best_s(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def count_macs(path: Path) -> int:
    """Multiply-accumulates of one row of a model: its convolutions and matrix products."""
    model = onnx.load(path)
    for tensor in model.graph.input:
        tensor.type.tensor_type.shape.dim[0].dim_value = 1
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        for info in (*inferred.value_info, *inferred.input, *inferred.output)
    }
    shapes |= {weights.name: list(weights.dims) for weights in inferred.initializer}
    macs = 0
    for node in inferred.node:
        if node.op_type == "Conv":
            # Weights are (out, in / groups, height, width): one product for each output value.
            macs += int(np.prod(shapes[node.output[0]]) * np.prod(shapes[node.input[1]][1:]))
        elif node.op_type in {"Gemm", "MatMul"}:
            macs += int(np.prod(shapes[node.input[1]])) * shapes[node.output[0]][0]
    return macs
