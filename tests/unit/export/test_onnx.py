from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.align import FULL_FACE
from engine.errors import ModelError
from export.model import FaceSwapper
from export.onnx import FEWEST_FACES, Identity, export_onnx, training_summary
from export.parity import TOLERANCE
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL

NOBODY = Identity("tiny", "Nobody (fictional)", FULL_FACE.name, "MIT", "nobody real")
FACES = np.random.default_rng(0).random((3, 3, 32, 32), np.float32)


@pytest.fixture(scope="module")
def network() -> FaceSwapper:
    torch.manual_seed(0)
    return FaceSwapper(TINY_LIGHT)


def run(path: Path, faces: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"face": faces})


@pytest.mark.parametrize("dtype", ["fp32", "fp16"])
def test_agrees_with_torch_for_any_batch(tmp_path: Path, network: FaceSwapper, dtype: str) -> None:
    path = tmp_path / "model.onnx"
    parity = export_onnx(network, path, NOBODY, FACES, dtype=dtype)
    assert parity.within(TOLERANCE[dtype])
    tolerance = TOLERANCE[dtype].largest
    for count in (1, 3):
        swapped, mask = run(path, FACES[:count])
        assert (swapped.dtype, mask.dtype) == (np.float32, np.float32)
        assert (swapped.shape, mask.shape) == ((count, 3, 64, 64), (count, 1, 64, 64))
        with torch.no_grad():
            expected = network(torch.from_numpy(FACES[:count]), "b").numpy()
        np.testing.assert_allclose(swapped, expected[:, :3], atol=tolerance)
        np.testing.assert_allclose(mask, expected[:, 3:], atol=tolerance)


def test_half_storage_halves_the_file_and_computes_in_float32(
    tmp_path: Path, network: FaceSwapper
) -> None:
    sizes = {}
    for dtype in ("fp32", "fp16"):
        path = tmp_path / f"{dtype}.onnx"
        export_onnx(network, path, NOBODY, FACES, dtype=dtype)
        graph = onnx.load(path).graph
        sizes[dtype] = sum(len(weight.raw_data) for weight in graph.initializer)
    assert sizes["fp16"] < 0.6 * sizes["fp32"]
    casts = [node for node in graph.node if node.op_type == "Cast"]
    assert casts
    assert {node.attribute[0].i for node in casts} == {onnx.TensorProto.FLOAT}


def test_eight_bits_compute_all_but_the_first_and_the_last_layer(
    tmp_path: Path, network: FaceSwapper
) -> None:
    path = tmp_path / "model.onnx"
    faces = np.random.default_rng(1).random((16, 3, 32, 32), np.float32)
    parity = export_onnx(network, path, NOBODY, faces, dtype="int8")
    assert 0 < parity.mean <= TOLERANCE["int8"].mean
    graph = onnx.load(path).graph
    types = {weight.name: weight.data_type for weight in graph.initializer}
    scaled = {
        node.output[0]: node.input
        for node in graph.node
        if node.op_type == "DequantizeLinear" and types.get(node.input[0]) == onnx.TensorProto.INT8
    }
    layers = [node for node in graph.node if node.op_type in {"Conv", "Gemm"}]
    assert [node.input[1] in scaled for node in layers] == [
        False,
        *[True] * (len(layers) - 2),
        False,
    ]
    scales = {weight.name: weight.dims for weight in graph.initializer}
    assert list(scales[scaled[layers[1].input[1]][1]]) == [8]  # one a channel
    swapped, mask = run(path, faces[:2])
    assert (swapped.shape, mask.shape) == ((2, 3, 64, 64), (2, 1, 64, 64))


def test_too_few_faces_to_calibrate_on(tmp_path: Path, network: FaceSwapper) -> None:
    with pytest.raises(ModelError, match=r"3 faces, expected at least 16 for int8"):
        export_onnx(network, tmp_path / "model.onnx", NOBODY, FACES, dtype="int8")
    assert FEWEST_FACES["int8"] == 16
    assert not list(tmp_path.iterdir())


def test_an_unknown_alignment_is_refused(tmp_path: Path, network: FaceSwapper) -> None:
    wrong = replace(NOBODY, alignment="half-face")
    with pytest.raises(ModelError, match=r"'half-face' is unknown, expected one of \['facestream"):
        export_onnx(network, tmp_path / "model.onnx", wrong, FACES)


def test_metadata_says_all_that_a_reader_needs(tmp_path: Path, network: FaceSwapper) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(network, path, NOBODY, FACES, training={"steps": 7})
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(properties.pop("facestream.training")) == {"steps": 7}
    template = json.loads(properties.pop("facestream.alignment_template"))
    assert len(template) == 26
    assert template["4"] == [0.5, 0.4877]
    assert properties == {
        "facestream.contract": "1",
        "facestream.name": "tiny",
        "facestream.persona": "Nobody (fictional)",
        "facestream.input_size": "32",
        "facestream.output_size": "64",
        "facestream.color_order": "RGB",
        "facestream.range": "0..1",
        "facestream.alignment": "facestream-full-26",
        "facestream.coverage": "1.0",
        "facestream.licence": "MIT",
        "facestream.consent": "nobody real",
        "facestream.dtype": "fp16",
    }


def test_the_network_of_2017_has_no_mask(tmp_path: Path) -> None:
    network = FaceSwapper(TINY_ORIGINAL)
    path = tmp_path / "model.onnx"
    faces = FACES[:, :, :16, :16].copy()
    assert export_onnx(network, path, NOBODY, faces, side="a", dtype="fp32").largest <= 2e-4
    assert [picture.shape for picture in run(path, faces)] == [(3, 3, 16, 16)]


def test_a_model_that_differs_is_not_written(tmp_path: Path) -> None:
    network = FaceSwapper(TINY_LIGHT)
    with torch.no_grad():
        network.encoder.squeeze.weight[0, 0] = float("nan")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"the previous model")
    with pytest.raises(ModelError, match=r"was not written: .* differ \(largest difference nan"):
        export_onnx(network, path, NOBODY, FACES)
    assert path.read_bytes() == b"the previous model"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.onnx"]


def test_exporting_changes_nothing_about_the_network(tmp_path: Path, network: FaceSwapper) -> None:
    network.train()
    before = network.encoder.squeeze.weight.clone()
    export_onnx(network, tmp_path / "model.onnx", NOBODY, FACES)
    assert network.training
    assert torch.equal(before, network.encoder.squeeze.weight)


def test_the_summary_tells_how_long_on_what_and_how_well() -> None:
    state = {
        "plan": "light",
        "mode": "paired",
        "step": 10,
        "seconds": 90.0,
        "images": 320,
        "data": {"photo": 4},
        "validation": {"val_l1_b": 0.02},
        "version": 1,
    }
    summary = training_summary(state)
    assert summary.pop("date").count("-") == 2
    assert summary == {
        "plan": "light",
        "mode": "paired",
        "steps": 10,
        "minutes": 1.5,
        "images": 320,
        "data": {"photo": 4},
        "validation": {"val_l1_b": 0.02},
    }
