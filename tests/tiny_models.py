"""Small ONNX models with known answers, in place of trained ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

METADATA = {
    "contract": "1",
    "name": "tiny",
    "persona": "nobody",
    "licence": "MIT",
    "consent": "nobody real",
    "input_size": "64",
    "output_size": "128",
    "color_order": "RGB",
    "range": "0..1",
    "alignment": "facestream-full-26",
}


def write_model(
    path: Path,
    *,
    metadata: Mapping[str, str] | None = None,
    input_name: str = "face",
    output_name: str = "swapped",
    size: int = 64,
    scale: float = 2.0,
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0),
    dtype: int = TensorProto.FLOAT,
    batch: str | int = "batch",
) -> Path:
    """A model that enlarges its input by nearest neighbor and multiplies R, G and B by gain."""
    element = np.float32 if dtype == TensorProto.FLOAT else np.float16
    constants = [
        numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scales"),
        numpy_helper.from_array(np.array(gain, element).reshape(1, 3, 1, 1), "gain"),
    ]
    out = int(size * scale)
    graph = helper.make_graph(
        [
            helper.make_node("Resize", [input_name, "", "scales"], ["large"], mode="nearest"),
            helper.make_node("Mul", ["large", "gain"], [output_name]),
        ],
        "tiny",
        [helper.make_tensor_value_info(input_name, dtype, [batch, 3, size, size])],
        [helper.make_tensor_value_info(output_name, dtype, [batch, 3, out, out])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entries = METADATA if metadata is None else metadata
    helper.set_model_props(model, {f"facestream.{key}": value for key, value in entries.items()})
    onnx.save(model, path)
    return path


def half_model(
    nodes: Sequence[onnx.NodeProto],
    halves: Mapping[str, np.ndarray],
    floats: Mapping[str, np.ndarray] | None = None,
) -> onnx.ModelProto:
    """A model from 'face' to 'swapped' as the exporter stores it.

    Args:
        nodes: of the graph; 'between' may name something on the way.
        halves: weights stored as float16, each widened by a Cast.
        floats: weights stored as float32.
    """
    casts = [helper.make_node("Cast", [f"{name}.half"], [name], to=1) for name in halves]
    face, between, swapped = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, 4, 4])
        for name in ("face", "between", "swapped")
    )
    weights = [(f"{name}.half", value.astype(np.float16)) for name, value in halves.items()]
    weights += [(name, value.astype(np.float32)) for name, value in (floats or {}).items()]
    stored = [numpy_helper.from_array(value, name) for name, value in weights]
    graph = helper.make_graph(
        [*casts, *nodes], "half", [face], [swapped], stored, value_info=[between]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
