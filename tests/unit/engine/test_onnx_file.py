"""What an ONNX file says of itself, against files that the onnx package wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine import onnx_file
from engine.errors import ModelError
from engine.onnx_file import Tensor
from tests.tiny_models import METADATA, write_model


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
) -> Path:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", None, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights or [],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("odd", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions or [])
    path.write_bytes(model.SerializeToString())
    return path


def external(location: str) -> onnx.TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="offset", value="0")
    return tensor


ADD = helper.make_node("Add", ["x", "w"], ["y"])


def test_a_whole_model(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    model = onnx_file.read(path)
    assert model.file_bytes == path.stat().st_size
    assert model.ir_version == 8
    assert model.opsets == {"": 17}
    assert model.inputs == [Tensor("face", "float32", ("batch", 3, 64, 64))]
    assert model.outputs == [Tensor("swapped", "float32", ("batch", 3, 128, 128))]
    assert dict(model.operators) == {("", "Resize"): 1, ("", "Mul"): 1}
    assert model.weights["float32"].parameters == 7
    assert model.weights["float32"].largest == 2
    assert model.metadata == {f"facestream.{key}": value for key, value in METADATA.items()}
    assert not model.custom_operators
    assert not model.external


def test_free_dimensions_and_unknown_shapes(tmp_path: Path) -> None:
    weights = [numpy_helper.from_array(np.ones(4, np.float32), "w")]
    model = onnx_file.read(save(tmp_path / "m.onnx", [ADD], weights))
    assert model.inputs == [Tensor("x", "float32", ("batch", None, 4))]
    assert model.outputs == [Tensor("y", "float32", ())]


@pytest.mark.parametrize("packed", [False, True], ids=["raw_data", "float_data"])
def test_weights_that_are_no_numbers_are_counted(tmp_path: Path, packed: bool) -> None:
    values = [1.0, -8.0, float("nan"), float("inf")]
    tensor = (
        helper.make_tensor("w", TensorProto.FLOAT, [4], values)
        if packed
        else numpy_helper.from_array(np.array(values, np.float32), "w")
    )
    weights = onnx_file.read(save(tmp_path / "m.onnx", [ADD], [tensor])).weights["float32"]
    assert (weights.parameters, weights.not_finite, weights.largest) == (4, 2, 8)


def test_half_precision_and_constants_of_the_graph_count(tmp_path: Path) -> None:
    half = numpy_helper.from_array(np.array([1, np.inf], np.float16), "h")
    nodes = [helper.make_node("Constant", [], ["c"], value=half), ADD]
    weights = [numpy_helper.from_array(np.ones(4, np.float32), "w")]
    model = onnx_file.read(save(tmp_path / "m.onnx", nodes, weights))
    assert model.weights["float16"].parameters == 2
    assert model.weights["float16"].not_finite == 1


def test_operators_inside_of_branches_are_seen(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [helper.make_node("Mine", ["x"], ["z"], domain="odd")],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])],
    )
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    assert onnx_file.read(save(tmp_path / "m.onnx", [node])).custom_operators == ["odd:Mine"]


def test_operators_that_the_file_defines_are_not_custom(tmp_path: Path) -> None:
    twice = helper.make_function(
        "odd",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    node = helper.make_node("Twice", ["x"], ["y"], domain="odd")
    assert not onnx_file.read(save(tmp_path / "a.onnx", [node], None, [twice])).custom_operators
    assert onnx_file.read(save(tmp_path / "b.onnx", [node])).custom_operators == ["odd:Twice"]


def test_a_foreign_engine_in_a_standard_operator_is_custom(tmp_path: Path) -> None:
    node = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft")
    model = onnx_file.read(save(tmp_path / "m.onnx", [node]))
    assert model.custom_operators == ["com.microsoft:EPContext"]


@pytest.mark.parametrize(
    ("location", "outside"),
    [
        ("w.bin", False),
        ("sub/w.bin", False),
        ("../w.bin", True),
        ("sub/../../w.bin", True),
        ("/etc/hostname", True),
        ("C:\\w.bin", True),
        ("..\\w.bin", True),
        ("link/w.bin", True),
    ],
)
def test_external_data_has_to_stay_in_the_folder(
    tmp_path: Path, location: str, outside: bool
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    model = onnx_file.read(save(folder / "m.onnx", [ADD], [external(location)]))
    assert model.external == {location}
    assert model.external_outside == ([location] if outside else [])
    assert model.external_missing == ([] if outside else [location])


def test_external_data_that_is_there_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    assert not onnx_file.read(
        save(tmp_path / "m.onnx", [ADD], [external("w.bin")])
    ).external_missing


def test_inputs_that_are_weights_are_no_inputs(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [ADD],
        "old",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [4]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [4]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [numpy_helper.from_array(np.ones(4, np.float32), "w")],
    )
    path = tmp_path / "old.onnx"
    path.write_bytes(helper.make_model(graph, ir_version=3).SerializeToString())
    assert [tensor.name for tensor in onnx_file.read(path).inputs] == ["x"]


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000), b"\x08\x08"])
def test_other_files_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx: n.*ONNX") as caught:
        onnx_file.read(path)
    assert "\n" not in str(caught.value)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    whole = write_model(tmp_path / "m.onnx", metadata={}).read_bytes()
    path = tmp_path / "cut.onnx"
    for size in range(0, len(whole) - 8, 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError):
            onnx_file.read(path)


@pytest.mark.parametrize("name", ["missing.onnx", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="give a path"):
        onnx_file.read(tmp_path / name)


def test_weights_that_cannot_be_in_the_file_are_damage(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.INT64, dims=[1 << 40])
    with pytest.raises(ModelError, match="a tensor of 1099511627776 weights"):
        onnx_file.read(save(tmp_path / "m.onnx", [ADD], [tensor]))
    tensor = TensorProto(name="w", data_type=TensorProto.INT64, dims=[1] * 100_000)
    with pytest.raises(ModelError, match="axes"):
        onnx_file.read(save(tmp_path / "m.onnx", [ADD], [tensor]))


def test_a_file_beyond_the_formats_limit_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole: takes no room on the disk
    with pytest.raises(ModelError, match=r"1099511627776 bytes; expected 2 GiB"):
        onnx_file.read(path)
