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
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from engine.align import FULL_FACE, Alignment
from engine.errors import ModelError
from export.errors import ParityError
from export.graph import build_graph
from export.model import FaceSwapper, Plan, Side
from export.parity import TOLERANCE, Dtype, Parity, compare
from export.quantize import quantize
from export.replacing import replacing

CONTRACT: Final = "1"
FEWEST_FACES: Final[Mapping[Dtype, int]] = {"fp32": 1, "fp16": 1, "int8": 16}
"""Faces that an export needs: int8 is calibrated on one half and compared on the other."""

_ALIGNMENTS: Final = {FULL_FACE.name: FULL_FACE}
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
    dtype: Dtype = "fp16",
    training: Mapping[str, Any] | None = None,
) -> Parity:
    """Write encoder and one decoder as an ONNX file that agrees with torch.

    Args:
        network: trained network, on any device; not changed.
        path: where to write, in a folder that is made if missing; replaced only by a model
            that passed.
        identity: who is drawn and on which terms.
        faces: (N, 3, S, S) RGB 0..1, real crops on which both must agree.
        side: whose decoder.
        dtype: of the weights, see `export.parity.Dtype`.
        training: summary of the training, stored as JSON.

    Returns:
        Differences between torch and ONNX Runtime over `faces`; for int8 over those that it
        was not calibrated on.

    Raises:
        ModelError: there are too few faces, or the alignment is unknown.
        ParityError: the exported model differs by more than `export.parity.TOLERANCE`.
        OSError: the file cannot be written.
    """
    if len(faces) < FEWEST_FACES[dtype]:
        raise ModelError(
            f"{path.name} was not written: {len(faces)} faces, expected at least "
            f"{FEWEST_FACES[dtype]} for {dtype}; give a folder with more"
        )
    plan = network.plan
    properties = metadata(identity, plan, dtype, training or {})
    deployed = copy.deepcopy(network).to("cpu", torch.float32).eval()
    model = build_graph(deployed, side)
    if dtype == "fp16":
        store_weights_as_half(model)
    elif dtype == "int8":
        model, faces = quantize(model, faces[::2]), faces[1::2]
    with torch.no_grad():
        drawn = deployed(torch.from_numpy(faces), side).numpy()
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    parity = compare(content, faces, [drawn[:, :3], drawn[:, 3:]] if plan.mask else [drawn])
    if not parity.within(TOLERANCE[dtype]):
        raise ParityError(
            f"{path.name} was not written: torch and ONNX Runtime differ ({parity}), "
            f"expected {TOLERANCE[dtype]} for {dtype}; "
            "try fp32, or train further if the network has diverged"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(content)
    return parity


def metadata(
    identity: Identity, plan: Plan, dtype: Dtype, training: Mapping[str, Any]
) -> dict[str, str]:
    """What a reader of the file must know, as `facestream.*` keys.

    The template gives landmarks their places in a unit square; coverage is the side of the
    model's crop in units of that square.

    Raises:
        ModelError: the alignment is unknown.
    """
    if identity.alignment not in _ALIGNMENTS:
        raise ModelError(
            f"alignment {identity.alignment!r} is unknown, expected one of {sorted(_ALIGNMENTS)}"
        )
    facts = {
        "contract": CONTRACT,
        "name": identity.name,
        "persona": identity.persona,
        "input_size": str(plan.input_size),
        "output_size": str(plan.output_size),
        "color_order": "RGB",
        "range": "0..1",
        "alignment": identity.alignment,
        "alignment_template": _template(_ALIGNMENTS[identity.alignment]),
        "coverage": "1.0",
        "licence": identity.licence,
        "consent": identity.consent,
        "dtype": dtype,
        "training": json.dumps(training),
    }
    return {f"facestream.{key}": value for key, value in facts.items()}


def _template(alignment: Alignment) -> str:
    """JSON: MediaPipe landmark -> its x, y in the unit square that the crop spans."""
    places = zip(alignment.indices.tolist(), alignment.template.tolist(), strict=True)
    return json.dumps({str(index): place for index, place in places})


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
    and precision of float32 arithmetic, where true float16 models run slower on a CPU. On CUDA
    `engine.execution.half` takes the casts away.

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
