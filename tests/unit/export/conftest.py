from __future__ import annotations

from importlib.util import find_spec

import pytest

# torch is an extra: without it there is nothing to test here.
collect_ignore = (
    []
    if find_spec("torch")
    else [
        "test_adversary.py",
        "test_checkpoint.py",
        "test_compute.py",
        "test_delivery.py",
        "test_distill.py",
        "test_face_folders.py",
        "test_held_aside.py",
        "test_losses.py",
        "test_model.py",
        "test_model_report.py",
        "test_objective.py",
        "test_onnx.py",
        "test_optimizers.py",
        "test_pair_folder.py",
        "test_parity.py",
        "test_perceptual.py",
        "test_pretrained.py",
        "test_preview.py",
        "test_report_page.py",
        "test_samples.py",
        "test_train.py",
        "test_train_benchmark.py",
        "test_train_command.py",
        "test_validation.py",
    ]
)


@pytest.fixture(autouse=True)
def one_torch_thread() -> None:
    if find_spec("torch"):
        import torch  # noqa: PLC0415  # an extra

        torch.set_num_threads(1)
