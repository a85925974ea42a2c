from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from engine.errors import ModelError
from export import checkpoint, pretrained
from export.checkpoint import Checkpoint
from export.errors import CheckpointError
from export.graph import build_graph
from export.model import LIGHT, FaceSwapper, Plan
from export.onnx import store_weights_as_half
from export.pretrained import read_pretrained
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL


@pytest.fixture(autouse=True)
def known_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = {"original": TINY_ORIGINAL, "light": TINY_LIGHT}
    monkeypatch.setattr(pretrained, "PLANS", plans)
    monkeypatch.setattr(checkpoint, "PLANS", plans)


def awake(plan: Plan) -> FaceSwapper:
    """Weights that differ everywhere, where a new network begins with many zeros."""
    network = FaceSwapper(plan)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.1)
    return network


def face(plan: Plan) -> torch.Tensor:
    return torch.rand(2, 3, plan.input_size, plan.input_size)


@pytest.mark.parametrize("plan", [TINY_LIGHT, TINY_ORIGINAL])
def test_an_exported_model_is_read_back(tmp_path: Path, plan: Plan) -> None:
    trained, faces = awake(plan), face(plan)
    onnx.save_model(build_graph(trained, "a"), tmp_path / "a.onnx")
    read = read_pretrained(str(tmp_path / "a.onnx"))
    assert read.plan == plan
    with torch.no_grad():
        # The only decoder of the file begins both.
        for side in ("a", "b"):
            assert torch.equal(read.network()(faces, side), trained(faces, "a"))


def test_weights_stored_in_half_are_read_as_float32(tmp_path: Path) -> None:
    trained, faces = awake(TINY_LIGHT), face(TINY_LIGHT)
    model = build_graph(trained, "b")
    store_weights_as_half(model)
    onnx.save_model(model, tmp_path / "b.onnx")
    network = read_pretrained(str(tmp_path / "b.onnx")).network()
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    with torch.no_grad():
        torch.testing.assert_close(network(faces), trained(faces), atol=2e-3, rtol=0)


def test_a_checkpoint_gives_both_decoders_with_smoothed_weights(tmp_path: Path) -> None:
    trained, faces = awake(TINY_LIGHT), face(TINY_LIGHT)
    tensors = {f"average.{name}": tensor for name, tensor in trained.state_dict().items()}
    path = checkpoint.save(tmp_path, Checkpoint(tensors, {"plan": "light"}))
    for origin in (path, tmp_path):
        network = read_pretrained(str(origin)).network()
        with torch.no_grad():
            for side in ("a", "b"):
                assert torch.equal(network(faces, side), trained(faces, side))


def test_the_bundled_model_is_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    read = read_pretrained("maro")
    assert read.plan == LIGHT
    assert all(np.isfinite(tensor.numpy()).all() for tensor in read.encoder.values())


def test_another_network_is_refused(tmp_path: Path) -> None:
    onnx.save_model(build_graph(awake(TINY_ORIGINAL), "b"), tmp_path / "b.onnx")
    read = read_pretrained(str(tmp_path / "b.onnx"))
    with pytest.raises(CheckpointError, match="holds network 'original', expected 'light'"):
        read.load_into(FaceSwapper(TINY_LIGHT))


def test_what_is_no_network_of_ours_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file and no bundled model"):
        read_pretrained(str(tmp_path / "missing.onnx"))
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        read_pretrained(str(tmp_path))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(CheckpointError, match="is no ONNX model"):
        read_pretrained(str(broken))
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value])
    onnx.save_model(helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(CheckpointError, match="holds none of the networks"):
        read_pretrained(str(tmp_path / "other.onnx"))
