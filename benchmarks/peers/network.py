"""The network of 2017 with random weights: its exact topology and cost, a picture of nothing."""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np

from engine.session import Session

SIZE = 64
_FACES = 16  # what calibrating for 8 bits needs
_WARM_UP, _RUNS = 5, 25


def write_networks(folder: Path) -> dict[str, Path]:
    """Write `original` with float and with 8-bit weights, as models that facestream loads.

    What is there already stays.

    Raises:
        click.ClickException: PyTorch is not installed.
    """
    paths = {"fp32": folder / "original.onnx", "int8": folder / "original-8-bit.onnx"}
    if all(path.exists() for path in paths.values()):
        return paths
    try:
        import torch  # noqa: PLC0415 - an extra

        from export.model import ORIGINAL, FaceSwapper  # noqa: PLC0415
        from export.onnx import Identity, export_onnx  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException(
            f"{error.name} is missing, which makes the network; pip install 'facestream[train]'"
        ) from error
    torch.manual_seed(0)
    network = FaceSwapper(ORIGINAL)
    faces = np.random.default_rng(0).random((_FACES, 3, SIZE, SIZE), dtype=np.float32)
    identity = Identity(
        name="original-random",
        persona="nobody",
        alignment="facestream-full-26",
        licence="CC0-1.0",
        consent="random weights",
    )
    export_onnx(network, paths["fp32"], identity, faces, dtype="fp32")
    export_onnx(network, paths["int8"], identity, faces, dtype="int8")
    return paths


def network_case(threads: int, faces: int) -> str:
    """What the figure of `network_ms` is called."""
    return f"{threads} threads" + (f", {faces} faces at once" if faces > 1 else "")


def network_ms(path: Path, threads: int, faces: int) -> float:
    """Median milliseconds a face through a network that has the machine to itself.

    Args:
        path: of the network.
        threads: that it may use.
        faces: that go through at once.
    """
    session = Session(path, "cpu", threads)
    batch = np.random.default_rng(1).random((faces, 3, SIZE, SIZE), dtype=np.float32)
    times_ms = []
    for _ in range(_WARM_UP + _RUNS):
        began_s = time.perf_counter()
        session.run(["swapped"], {"face": batch})
        times_ms.append((time.perf_counter() - began_s) * 1000 / faces)
    return float(np.median(times_ms[_WARM_UP:]))
