"""Model files with one fault each, and the line that says it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper

from engine.errors import ModelError
from engine.session import Runtime
from stream.inspection import examination
from stream.inspection.command import inspect as command
from stream.inspection.examination import Inspection, inspect
from stream.inspection.latency import Trial
from stream.inspection.page import sections, to_json
from tests.tiny_models import METADATA, write_model


@pytest.fixture(autouse=True)
def only_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime("1", "onnxruntime", "", ("CPUExecutionProvider",))
    monkeypatch.setattr(examination.Runtime, "installed", lambda: runtime)


def look(path: Path) -> Inspection:
    return inspect(path, threads=(1, 2), budget_s=0.0)


def write(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list[int | str | None]],
    outputs: dict[str, list[int | str | None]],
    weights: list[onnx.TensorProto] | None = None,
) -> Path:
    def tensors(shapes: dict[str, list[int | str | None]]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in shapes.items()
        ]

    graph = helper.make_graph(nodes, "tiny", tensors(inputs), tensors(outputs), weights or [])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("odd", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, {f"facestream.{key}": value for key, value in METADATA.items()})
    onnx.save(model, path)
    return path


FACE: dict[str, list[int | str | None]] = {"face": ["batch", 3, 64, 64]}
SWAPPED: dict[str, list[int | str | None]] = {"swapped": ["batch", 3, 128, 128]}


def good(path: Path) -> Path:
    return write_model(path, gain=(1.0, 0.5, 0.25))


def test_nothing_is_wrong_with_a_good_model(tmp_path: Path) -> None:
    found = look(good(tmp_path / "m.onnx"))
    assert found.problems == ()
    assert found.contract.key == "facestream"
    assert {answer.picture for answer in found.answers} == {
        *("noise", "gray", "black", "white", "extreme")
    }
    assert found.batch_difference == 0
    (trial,) = found.trials
    assert set(trial.executed) == {"CPUExecutionProvider"}
    assert set(trial.latency) == {1, 2}
    assert all(0 < latency.median_ms <= latency.p95_ms for latency in trial.latency.values())


def test_metadata_that_is_missing_is_listed_at_once(tmp_path: Path) -> None:
    rest = {key: value for key, value in METADATA.items() if key not in {"persona", "range"}}
    found = look(write_model(tmp_path / "m.onnx", metadata=rest))
    assert found.problems == (
        "metadata is missing: facestream.persona, facestream.range; export it again",
    )


def test_metadata_of_another_version(tmp_path: Path) -> None:
    found = look(write_model(tmp_path / "m.onnx", metadata=METADATA | {"contract": "9"}))
    assert len(found.problems) == 1
    assert "facestream.contract is '9'" in found.problems[0]


def test_tensors_that_do_not_fit(tmp_path: Path) -> None:
    found = look(write_model(tmp_path / "m.onnx", output_name="picture"))
    assert len(found.problems) == 1
    assert "['face'] -> ['picture']" in found.problems[0]


def test_range_of_another_convention(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Resize", ["face", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Sub", ["large", "half"], ["centered"]),
        helper.make_node("Add", ["centered", "centered"], ["swapped"]),
    ]
    weights = [
        helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2]),
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
    ]
    found = look(write(tmp_path / "m.onnx", nodes, FACE, SWAPPED, weights))
    assert found.problems == (
        "output swapped goes from -1 to 1, expected 0 to 1; it was exported with another range",
    )


def test_overflow_on_some_pictures_only(tmp_path: Path) -> None:
    # Up to half of white everything stays below the largest number.
    nodes = [
        helper.make_node("Resize", ["face", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Mul", ["large", "huge"], ["hot"]),
        helper.make_node("Add", ["hot", "hot"], ["hotter"]),
        helper.make_node("Div", ["hotter", "huge"], ["double"]),
        helper.make_node("Mul", ["double", "half"], ["swapped"]),
    ]
    weights = [
        helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2]),
        helper.make_tensor("huge", TensorProto.FLOAT, [], [3e38]),
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
    ]
    found = look(write(tmp_path / "m.onnx", nodes, FACE, SWAPPED, weights))
    assert len(found.problems) == 1
    assert "no numbers (noise, white, extreme); if it is fp16, that overflows" in found.problems[0]


def test_overflow_on_a_gpu_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gpu(*_: object) -> Trial:
        return Trial("cuda", "", {}, {}, {"swapped": np.full((1, 3, 4, 4), np.nan)})

    monkeypatch.setattr(examination, "try_device", gpu)
    found = look(good(tmp_path / "m.onnx"))
    assert len(found.problems) == 1
    assert "on cuda has values that are no numbers" in found.problems[0]


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    found = look(write_model(tmp_path / "m.onnx", gain=(1.0, float("inf"), 1.0)))
    assert "1 of 7 float32 weights are infinite or no numbers" in found.problems[0]


def test_model_that_was_not_trained(tmp_path: Path) -> None:
    found = look(write_model(tmp_path / "m.onnx", gain=(0.0, 0.0, 0.0)))
    assert found.problems == ("output swapped is 0 whatever it is shown: it was not trained",)


def test_faces_of_a_batch_that_change_each_other(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Resize", ["face", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("ReduceMean", ["large"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Add", ["large", "mean"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["swapped"]),
    ]
    weights = [
        helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2]),
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
    ]
    found = look(write(tmp_path / "m.onnx", nodes, FACE, SWAPPED, weights))
    assert found.batch_difference is not None
    assert found.batch_difference > 0.1
    assert "faces of one frame change each other" in found.problems[0]


def test_custom_operators_are_never_run(tmp_path: Path) -> None:
    nodes = [helper.make_node("Mine", ["face"], ["swapped"], domain="odd")]
    found = look(write(tmp_path / "m.onnx", nodes, FACE, SWAPPED))
    assert found.problems == ("not run: needs operators that are not ONNX's own (odd:Mine)",)
    assert not found.answers
    assert not found.trials


def test_weights_outside_of_the_folder_are_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(bytes(16))
    folder = tmp_path / "model"
    folder.mkdir()
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../secret")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "thief",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [weight],
    )
    path = folder / "m.onnx"
    path.write_bytes(helper.make_model(graph, ir_version=8).SerializeToString())

    def loaded(*_: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(examination, "Session", loaded)
    assert "not run: wants weights outside of its folder (../secret)" in look(path).problems


def test_another_contract_is_named_and_measured(tmp_path: Path) -> None:
    face = helper.make_tensor_value_info("in_face:0", TensorProto.FLOAT, ["n", 8, 8, 3])
    names = ("out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["in_face:0"], [name]) for name in names],
        "dfm",
        [face],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 8, 8, 3]) for name in names],
    )
    path = tmp_path / "person.dfm"
    opsets = [helper.make_opsetid("", 12)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=7), path)
    found = look(path)
    assert len(found.problems) == 1
    assert "not supported: it looks like DeepFaceLive DFM (SAEHD)" in found.problems[0]
    assert found.trials[0].latency[1].runs >= 3


def test_inputs_of_unknown_size_are_not_run(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "free",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, "h", "w"])],
    )
    path = tmp_path / "free.onnx"
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    found = look(path)
    assert not found.answers
    assert not found.trials
    assert not found.contract.supported


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "clip.onnx"
    path.write_bytes(b"not at all")
    with pytest.raises(ModelError, match="not an ONNX file"):
        look(path)


@pytest.mark.parametrize("name", ["good", "bad"])
def test_everything_found_is_shown_and_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.onnx"
    found = look(good(path) if name == "good" else write_model(path, output_name="odd"))
    page = {section.name: section for section in sections(found)}
    assert list(page) == ["File", "Tensors", "Metadata", "Answers", "Speed", "Verdict"]
    assert page["Verdict"].failed == (name == "bad")
    written = json.loads(json.dumps(to_json(found)))
    assert written["contract"]["key"] == "facestream"
    assert written["opsets"] == {"ai.onnx": 17}
    assert written["problems"] == list(found.problems)
    assert written["inputs"][0]["shape"] == ["batch", 3, 64, 64]


@pytest.mark.parametrize(("output_name", "code"), [("swapped", 0), ("odd", 1)])
def test_exit_code(tmp_path: Path, output_name: str, code: int) -> None:
    path = write_model(tmp_path / "m.onnx", output_name=output_name)
    arguments = [str(path), "--json", "--seconds", "0"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.return_value == code
    assert json.loads(result.stdout)["path"] == str(path)
