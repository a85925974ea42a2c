from __future__ import annotations

import numpy as np
import pytest
import torch

from export.model import FaceSwapper
from export.samples import Batch
from export.validation import measure
from tests.unit.export.tiny_networks import TINY_LIGHT


class Gray(FaceSwapper):
    """Draws middle gray, whoever it sees."""

    def forward(self, face: torch.Tensor, side: object = "b") -> torch.Tensor:  # the network's
        return torch.full((len(face), 4, 64, 64), 0.5)


def batch(side: str, level: int, region: np.ndarray) -> Batch:
    face, target = np.zeros((2, 32, 32, 3), np.uint8), np.full((2, 64, 64, 3), 255, np.uint8)
    target[:, 16:48, 16:48] = level
    return Batch(side, face, target, region, region, region)


def test_each_side_is_measured_on_its_face() -> None:
    face = np.zeros((2, 64, 64), np.uint8)
    face[:, 20:44, 20:44] = 255
    everywhere = np.full_like(face, 255)
    found = measure(Gray(TINY_LIGHT), [batch("a", 204, face), batch("b", 204, everywhere)])
    assert set(found) == {"val_l1_a", "val_l1_b", "val_ssim_a", "val_ssim_b"}
    assert found["val_l1_a"] == pytest.approx(204 / 255 - 0.5, abs=1e-4)
    inside = 32 * 32 / 64**2
    assert found["val_l1_b"] == pytest.approx(0.3 * inside + 0.5 * (1 - inside), abs=1e-4)
    assert found["val_ssim_a"] > found["val_ssim_b"]


def test_without_held_out_faces_nothing_is_measured() -> None:
    assert measure(FaceSwapper(TINY_LIGHT), []) == {}
