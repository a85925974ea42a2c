from __future__ import annotations

from pathlib import Path

import pytest
import torch

from export.compute import Compute
from export.losses import LossWeights
from export.model import FaceSwapper
from export.objective import Objective
from export.pair_folder import PairBatches, PairFolder
from export.samples import Batch
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT

EXACT = Compute(precision="fp32")


@pytest.fixture
def batches(tmp_path: Path) -> list[Batch]:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(4))
    return PairFolder(tmp_path, TINY_LIGHT, PairBatches(size=4, own_share=0.5), 0).draw(0)


@pytest.fixture
def network() -> FaceSwapper:
    torch.manual_seed(0)
    return FaceSwapper(TINY_LIGHT)


def terms(network: FaceSwapper, batches: list[Batch], weights: LossWeights) -> dict[str, float]:
    found = Objective(network, weights, EXACT).terms(batches)
    return {name: float(value.detach()) for name, value in found.items()}


def test_the_total_is_the_weighted_sum_of_its_terms(
    network: FaceSwapper, batches: list[Batch]
) -> None:
    weights = LossWeights(perceptual=0.3, texture=0.2, features=0.1)
    found = terms(network, batches, weights)
    names = ("l1", "edge", "dssim", "mask", "perceptual", "texture", "features")
    total = sum(getattr(weights, name) * found[name] for name in names)
    assert found["total"] == pytest.approx(total, rel=1e-5)
    assert found["perceptual"] > 0
    assert "perceptual" not in terms(network, batches, LossWeights())


def test_skin_in_the_target_moves_the_loss(network: FaceSwapper, batches: list[Batch]) -> None:
    half = batches[0].target.copy()
    half[:, :32], half[:, 32:] = (120, 150, 205), (160, 60, 40)
    batch = batches[0]._replace(target=half)
    plain, guided = (terms(network, [batch], LossWeights(skin=share)) for share in (0.0, 0.5))
    assert guided["l1"] != pytest.approx(plain["l1"], rel=1e-3)


def test_precision_is_that_of_the_forward_pass(network: FaceSwapper, batches: list[Batch]) -> None:
    exact, rounded = (
        float(
            Objective(network, LossWeights(), Compute(precision=precision))
            .terms(batches)["l1"]
            .detach()
        )
        for precision in ("fp32", "bf16")
    )
    assert exact != rounded
    assert exact == pytest.approx(rounded, rel=0.02)
