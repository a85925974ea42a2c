"""Graphs written anew: the same pictures, computed from float16 all the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.execution.half import computing_in_half
from engine.models import model_path
from tests.tiny_models import write_model


def answers(model: str | bytes, faces: np.ndarray) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(model).run(None, {"face": faces})


def halves(path: Path, *nodes: onnx.NodeProto, **weights: np.ndarray) -> Path:
    """A model of these nodes, from 'face' to 'swapped', weights stored as float16."""
    stored = [
        numpy_helper.from_array(value.astype(np.float16), f"{name}.half")
        for name, value in weights.items()
    ]
    casts = [helper.make_node("Cast", [f"{name}.half"], [name], to=1) for name in weights]
    border = ("batch", 3, 4, 4)
    graph = helper.make_graph(
        [*casts, *nodes],
        "tiny",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, border)],
        [helper.make_tensor_value_info("swapped", TensorProto.FLOAT, border)],
        stored,
        value_info=[helper.make_tensor_value_info("between", TensorProto.FLOAT, border)],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


def test_the_bundled_model_draws_the_same() -> None:
    path = model_path("maro")
    content = computing_in_half(path)
    assert content is not None
    faces = np.random.default_rng(0).random((2, 3, 64, 64), dtype=np.float32)
    for stored, halved in zip(answers(str(path), faces), answers(content, faces), strict=True):
        assert halved.dtype == np.float32
        assert np.abs(halved - stored).max() < 2e-3


def test_only_what_goes_in_and_comes_out_is_cast() -> None:
    model = onnx.load_from_string(computing_in_half(model_path("maro")))
    onnx.checker.check_model(model, full_check=True)
    assert [node.output[0] for node in model.graph.node if node.op_type == "Cast"] == [
        "face.as_half",
        "swapped",
        "mask",
    ]
    types = {weight.data_type for weight in model.graph.initializer}
    assert types == {TensorProto.FLOAT16, TensorProto.INT64}
    assert {entry.key for entry in model.metadata_props} >= {"facestream.persona"}


def test_a_result_that_is_used_further_on_stays_connected(tmp_path: Path) -> None:
    path = halves(
        tmp_path / "m.onnx",
        helper.make_node("Mul", ["face", "gain"], ["between"]),
        helper.make_node("Add", ["between", "face"], ["swapped"]),
        gain=np.full((1, 3, 1, 1), 0.5),
    )
    content = computing_in_half(path)
    assert content is not None
    faces = np.full((1, 3, 4, 4), 0.25, np.float32)
    assert answers(content, faces)[0].tolist() == (faces * 1.5).tolist()


def test_weights_stored_as_float32_are_computed_as_float32(tmp_path: Path) -> None:
    assert computing_in_half(write_model(tmp_path / "m.onnx")) is None


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Resize", ["between", "", "scales"], ["swapped"], mode="nearest"),
        helper.make_node("Cast", ["between"], ["swapped"], to=TensorProto.FLOAT),
    ],
    ids=["resize", "cast"],
)
def test_operators_that_name_a_type_leave_the_graph_alone(
    tmp_path: Path, node: onnx.NodeProto
) -> None:
    first = helper.make_node("Mul", ["face", "scales"], ["between"])
    assert computing_in_half(halves(tmp_path / "m.onnx", first, node, scales=np.ones(4))) is None


def test_a_weight_beyond_the_range_leaves_the_graph_alone(tmp_path: Path) -> None:
    path = halves(
        tmp_path / "m.onnx",
        helper.make_node("Mul", ["face", "gain"], ["between"]),
        helper.make_node("Mul", ["between", "large"], ["swapped"]),
        gain=np.ones((1, 3, 1, 1)),
    )
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.float32([1e6]), "large"))
    onnx.save(model, path)
    assert computing_in_half(path) is None
