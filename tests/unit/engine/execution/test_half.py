"""Graphs written anew: the same pictures, computed from float16 all the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from engine.execution.half import computing_in_half
from engine.models import model_path
from tests.tiny_models import half_model, write_model


def answers(model: str | bytes, faces: np.ndarray) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(model).run(None, {"face": faces})


def truly(content: bytes, faces: np.ndarray) -> np.ndarray:
    """What really comes of float16: on a processor ONNX Runtime widens what lies between."""
    evaluator = ReferenceEvaluator(onnx.load_from_string(content))
    (swapped,) = evaluator.run(None, {"face": faces})
    assert isinstance(swapped, np.ndarray)
    return swapped


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    onnx.save(model, folder / "m.onnx")
    return folder / "m.onnx"


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
    nodes = [
        helper.make_node("Mul", ["face", "gain"], ["between"]),
        helper.make_node("Add", ["between", "face"], ["swapped"]),
    ]
    model = half_model(nodes, {"gain": np.full((1, 3, 1, 1), 0.5)})
    content = computing_in_half(saved(model, tmp_path))
    assert content is not None
    faces = np.full((1, 3, 4, 4), 0.25, np.float32)
    assert truly(content, faces).tolist() == (faces * 1.5).tolist()
    assert answers(content, faces)[0].tolist() == (faces * 1.5).tolist()


def test_convolutions_are_computed_from_halves(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["face", "w", "b"], ["between"], pads=[1] * 4, name="first"),
        helper.make_node("LeakyRelu", ["between"], ["swapped"], alpha=0.1),
    ]
    random = np.random.default_rng(0)
    model = half_model(
        nodes, {"w": random.normal(0, 0.3, (3, 3, 3, 3))}, {"b": random.normal(0, 0.1, 3)}
    )
    model.graph.node[0].name = "widen"
    path = saved(model, tmp_path)
    content = computing_in_half(path)
    assert content is not None
    faces = random.random((2, 3, 4, 4), dtype=np.float32)
    (stored,) = answers(str(path), faces)
    assert 0 < np.abs(truly(content, faces) - stored).max() < 3e-3


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.node[1].output.__setitem__(0, "face.as_half"),
        lambda graph: graph.node[0].attribute[0].__setattr__("i", TensorProto.DOUBLE),
        lambda graph: graph.output.append(graph.output[0]),
        lambda graph: graph.output.append(graph.input[0]),
        lambda graph: graph.input.append(
            helper.make_tensor_value_info("gain.half", TensorProto.FLOAT16, [1, 3, 1, 1])
        ),
    ],
    ids=["name taken", "cast to another type", "output twice", "input is output", "listed weight"],
)
def test_an_odd_graph_is_left_alone(
    tmp_path: Path, change: Callable[[onnx.GraphProto], None]
) -> None:
    nodes = [
        helper.make_node("Mul", ["face", "gain"], ["between"]),
        helper.make_node("Add", ["between", "face"], ["swapped"]),
    ]
    model = half_model(nodes, {"gain": np.ones((1, 3, 1, 1))})
    assert computing_in_half(saved(model, tmp_path)) is not None
    change(model.graph)
    assert computing_in_half(saved(model, tmp_path)) is None


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
    model = half_model([first, node], {"scales": np.ones(4)})
    assert computing_in_half(saved(model, tmp_path)) is None


def test_a_weight_beyond_the_range_leaves_the_graph_alone(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["face", "gain"], ["between"]),
        helper.make_node("Mul", ["between", "large"], ["swapped"]),
    ]
    model = half_model(nodes, {"gain": np.ones((1, 3, 1, 1))}, {"large": np.array([1e6])})
    assert computing_in_half(saved(model, tmp_path)) is None
