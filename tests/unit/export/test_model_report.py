from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from export.deployed import open_model
from export.held_aside import HeldAside, held_aside
from export.model import FaceSwapper
from export.model_report import agreement, measure, sharpness, swap_all
from export.onnx import Identity, export_onnx
from export.poses import Pose
from tests.tiny_models import write_model
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT

RNG = np.random.default_rng(0)
EVERYWHERE = np.full((2, 64, 64), 255, np.uint8)


def pictures() -> np.ndarray:
    return RNG.integers(0, 255, (2, 64, 64, 3), np.uint8)


def test_only_the_region_is_compared() -> None:
    target = pictures()
    drawn = target.copy()
    drawn[:, :32] = 255 - drawn[:, :32]
    lower = EVERYWHERE.copy()
    lower[:, :40] = 0
    assert agreement(drawn, target, lower).l1 == 0
    assert agreement(drawn, target, lower).ssim == pytest.approx(1, abs=1e-3)
    assert agreement(drawn, target, EVERYWHERE).l1 > 0.1
    shifted = np.full_like(target, 100), np.full_like(target, 151)
    assert agreement(*shifted, EVERYWHERE).l1 == pytest.approx(0.2)


def test_sharpness_is_that_of_the_face_without_its_outline() -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    region = np.zeros((64, 64), np.uint8)
    region[16:48, 16:48] = 255
    flat[region > 0] = 200
    assert sharpness(flat, region) == 0
    flat[30, 30] = 250
    assert sharpness(flat, region) > 0


class MeanColor:
    """Stands for an embedder: two faces are as far apart as their mean colors."""

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        return faces.mean(axis=(1, 2)).astype(np.float64)


def test_a_model_that_enlarges_is_measured(tmp_path: Path) -> None:
    write_model(tmp_path / "model.onnx")
    tiny.write(tmp_path / "holdout-00000.npz", tiny.shard(6))
    model = open_model(tmp_path / "model.onnx")
    faces = held_aside(tmp_path, 64, 128, 6)
    swapped = swap_all(model, faces)
    np.testing.assert_array_equal(swapped.pictures[:, ::2, ::2], faces.face)
    measured = measure(model, swapped, faces.own(), MeanColor(), 1)
    # A file has only the persona's decoder; what is enlarged stays itself.
    assert list(measured.reconstruction) == ["b"]
    assert measured.reconstruction["b"].ssim > 0.9
    assert {kind: one.faces for kind, one in measured.swap.items()} == {
        "rendered": 3,
        "photographed": 3,
    }
    assert measured.swap["rendered"].l1 > 0.1  # the truth is the negative
    assert sum(cell.faces for cell in measured.poses.values()) == 6
    assert measured.identity is not None
    assert measured.identity["swap_to_a"] < 1
    assert measured.identity["swap_to_b"] > 10
    assert measured.identity["b_to_b"] > 0
    assert measured.latency_ms[1] <= measured.latency_ms[0]
    plain = measured.as_json()
    assert plain["reconstruction"]["b"]["faces"] == 6
    assert all(key.count(", ") == 1 for key in plain["poses"])


def test_pictures_alone_have_neither_truth_nor_persona(tmp_path: Path) -> None:
    write_model(tmp_path / "model.onnx")
    picture = RNG.integers(0, 255, (2, 128, 128, 3), np.uint8)
    region = np.full((2, 128, 128), 255, np.uint8)
    points = np.zeros((2, 478, 2), np.float32)
    faces = HeldAside(picture[:, ::2, ::2], picture, region, points)
    model = open_model(tmp_path / "model.onnx")
    measured = measure(model, swap_all(model, faces), faces.own(), MeanColor(), 1)
    assert measured.swap == {}
    assert measured.poses == {}
    assert set(measured.sharpness) == {"source"}
    assert set(measured.identity or {}) == {"swap_to_a"}


def test_a_checkpoint_has_both_decoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from export import checkpoint as checkpoints  # noqa: PLC0415  # patched below

    torch.manual_seed(0)
    network = FaceSwapper(TINY_LIGHT)
    state = {"plan": "light", "mode": "paired", "step": 1, "images": 2, "seconds": 3.0}
    tensors = {f"average.{name}": value for name, value in network.state_dict().items()}
    saved = checkpoints.Checkpoint(tensors, {**state, "data": {}, "validation": {}})
    checkpoints.save(tmp_path, saved)
    monkeypatch.setitem(checkpoints.PLANS, "light", TINY_LIGHT)
    model = open_model(tmp_path)
    assert set(model.sessions) == {"a", "b"}
    faces = RNG.integers(0, 255, (2, 32, 32, 3), np.uint8)
    assert np.abs(model.draw(faces, "a").astype(int) - model.draw(faces, "b")).max() > 0
    # The file that would be deployed is as large as the one that an export writes.
    nobody = Identity("tiny", "decoder B", "facestream-full-26", "-", "-")
    crops = np.zeros((1, 3, 32, 32), np.float32)
    export_onnx(network, tmp_path / "b.onnx", nobody, crops)
    assert model.megabytes == pytest.approx((tmp_path / "b.onnx").stat().st_size / 1e6, rel=0.05)


def test_poses_come_from_the_sources(tmp_path: Path) -> None:
    write_model(tmp_path / "model.onnx")
    picture = np.zeros((1, 128, 128, 3), np.uint8)
    points = np.zeros((1, 478, 2), np.float32)
    points[0, [33, 159, 145]] = (-20, 0), (0, -5), (0, 5)
    points[0, [263, 386, 374]] = (20, 0), (0, -5), (0, 5)
    faces = HeldAside(picture[:, ::2, ::2], picture, np.ones((1, 128, 128), np.uint8), points)
    swapped = swap_all(open_model(tmp_path / "model.onnx"), faces)
    assert swapped.poses == (Pose("frontal", "calm"),)
