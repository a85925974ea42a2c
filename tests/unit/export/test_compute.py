from __future__ import annotations

from typing import Any

import pytest
import torch

from export.compute import Compute
from export.errors import TrainingError


def product(compute: Compute) -> torch.dtype:
    with compute.autocast():
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("precision", "instructions", "expected"),
    [
        ("fp32", {"amx_bf16": True}, torch.float32),
        ("bf16", {}, torch.bfloat16),
        ("auto", {"amx_bf16": True}, torch.bfloat16),
        ("auto", {"avx512_bf16": True}, torch.bfloat16),
        ("auto", {"avx2": True}, torch.float32),
    ],
)
def test_bf16_is_used_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, precision: Any, instructions: Any, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    assert product(Compute(precision=precision)) == expected


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(TrainingError, match="device 'gpu' is unknown, expected cpu, cuda"):
        Compute("gpu").torch_device()
    with pytest.raises(TrainingError, match="device 'cuda:99' is not there, torch sees"):
        Compute("cuda:99").torch_device()
    assert Compute("cpu").torch_device().type == "cpu"
