"""From a checkpoint to the model file that the stream loads.

Contract: input `face` float32 (N, 3, S, S) RGB 0..1; outputs `swapped` float32
(N, 3, T, T) RGB 0..1 and, if the network has one, `mask` float32 (N, 1, T, T) 0..1.
Everything else a reader must know is in the file's metadata.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from engine.errors import ModelError
from export.graph import build_graph
from export.model import FaceSwapper, Side

Storage: TypeAlias = Literal["fp32", "fp16"]
"""How weights are stored. Computation is float32 either way."""

TOLERANCE: Final[Mapping[Storage, float]] = {"fp32": 2e-4, "fp16": 1e-2}
"""Largest allowed difference from torch on 0..1 pictures: float32 rounding in another order
of summation, and weights rounded to 11 bits (2.5 of 255 levels at the worst pixel)."""

CONTRACT: Final = "1"
# Biases and other small tensors gain nothing from being stored in half.
_SMALLEST_HALVED: Final = 256


@dataclass(frozen=True)
class Identity:
    """Who a model draws and on which terms; stored in the file.

    Attributes:
        name: short name of the model.
        persona: whom it draws.
        alignment: name of the `engine.align.Alignment` it was trained on.
        licence: SPDX identifier.
        consent: on what ground the person may be drawn.
    """

    name: str
    persona: str
    alignment: str
    licence: str
    consent: str


def export_onnx(  # noqa: PLR0913  # each is a fact of its own
    network: FaceSwapper,
    path: Path,
    identity: Identity,
    faces: NDArray[np.float32],
    *,
    side: Side = "b",
    storage: Storage = "fp16",
    training: Mapping[str, Any] | None = None,
) -> float:
    """Write encoder and one decoder as an ONNX file that agrees with torch.

    Args:
        network: trained network, on any device; not changed.
        path: where to write; replaced only by a model that passed.
        identity: who is drawn and on which terms.
        faces: (N, 3, S, S) RGB 0..1, real crops on which both must agree.
        side: whose decoder.
        storage: how weights are stored.
        training: summary of the training, stored as JSON.

    Returns:
        Largest difference between torch and ONNX Runtime over `faces`.

    Raises:
        ModelError: the exported model is not valid or differs by more than `TOLERANCE`.
    """
    plan = network.plan
    deployed = copy.deepcopy(network).to("cpu", torch.float32).eval()
    with torch.no_grad():
        drawn = deployed(torch.from_numpy(faces), side).numpy()
    expected = [drawn[:, :3], drawn[:, 3:]] if plan.mask else [drawn]
    model = build_graph(deployed, side)
    if storage == "fp16":
        store_weights_as_half(model)
    helper.set_model_props(
        model,
        {
            "facestream.contract": CONTRACT,
            "facestream.name": identity.name,
            "facestream.persona": identity.persona,
            "facestream.input_size": str(plan.input_size),
            "facestream.output_size": str(plan.output_size),
            "facestream.color_order": "RGB",
            "facestream.range": "0..1",
            "facestream.alignment": identity.alignment,
            "facestream.licence": identity.licence,
            "facestream.consent": identity.consent,
            "facestream.training": json.dumps({"storage": storage, **(training or {})}),
        },
    )
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    difference = _parity(content, faces, expected)
    if not difference <= TOLERANCE[storage]:
        raise ModelError(
            f"{path.name} was not written: torch and ONNX Runtime differ by {difference:.2g}, "
            f"expected at most {TOLERANCE[storage]:.2g} for {storage} weights; "
            "try fp32, or train further if the network has diverged"
        )
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(content)
    draft.replace(path)
    return difference


def training_summary(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint's state says about the training, for the model's metadata."""
    summary: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat()}
    for key in ("plan", "mode", "step", "images", "data", "validation"):
        summary["steps" if key == "step" else key] = state[key]
    summary["minutes"] = round(state["seconds"] / 60, 1)
    return summary


def store_weights_as_half(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, each with a Cast back to float32.

    ONNX Runtime folds the casts when it loads the model: half the file at the full speed
    and precision of float32 arithmetic, where true float16 models run slower on a CPU.

    Args:
        model: changed in place.
    """
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        if values.size < _SMALLEST_HALVED:
            continue
        name = weight.name
        halved = numpy_helper.from_array(values.astype(np.float16), name + ".half")
        weight.CopyFrom(halved)
        casts.append(helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _parity(
    content: bytes, faces: NDArray[np.float32], expected: list[NDArray[np.float32]]
) -> float:
    """Largest difference of any output; NaN if any is not a number."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    got = session.run(None, {"face": faces})
    return float(
        np.max([np.abs(mine - theirs).max() for mine, theirs in zip(expected, got, strict=True)])
    )
