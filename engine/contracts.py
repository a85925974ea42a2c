"""Whose contract a swap model follows, told from the names and shapes of its tensors.

Only `facestream` can be run here. The others are recognized so that their owner is told what the
file is, instead of which tensor was missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.onnx_file import OnnxFile, Tensor

MOST_NUMBERS = 1 << 28
"""In an input or output that a model declares: a gigabyte of float32."""

PREFIX = "facestream."
KEYS = (
    *("contract", "name", "persona", "licence", "consent"),
    *("input_size", "output_size", "color_order", "range", "alignment"),
)
"""Metadata that a model of our contract carries, each after `PREFIX`."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model looks like.

    Attributes:
        key: short name for machines.
        title: for people.
        layout: order of its axes and colors and its range, as far as known.
        supported: whether facestream can run it.
    """

    key: str
    title: str
    layout: str
    supported: bool = False


def recognize(model: OnnxFile) -> Contract:
    """Name the contract by tensors and metadata; `unknown` if none fits."""
    names = [tensor.name.removesuffix(":0") for tensor in model.inputs]
    outputs = [tensor.name.removesuffix(":0") for tensor in model.outputs]
    if any(key.startswith(PREFIX) for key in model.metadata) or (
        names == ["face"] and "swapped" in outputs
    ):
        layout = "NCHW, RGB, 0..1; face -> swapped and, optionally, mask"
        return Contract("facestream", "facestream", layout, supported=True)
    if "in_face" in names:
        return _of_deepfacelab(model.inputs[names.index("in_face")], names, outputs)
    if set(names) == {"source", "target"}:
        return _one_shot(dict(zip(names, model.inputs, strict=True)))
    return _by_shape(model.inputs, model.outputs)


def missing_keys(metadata: Mapping[str, str]) -> list[str]:
    """Keys of our contract that a model lacks, with their prefix."""
    return [PREFIX + key for key in KEYS if PREFIX + key not in metadata]


def refusals(model: OnnxFile) -> list[str]:
    """Why a model is not to be run, whoever wrote it: one line for each reason.

    It may need nobody's code but ONNX Runtime's, read no file outside of its folder, and declare
    no picture beyond all sense.
    """
    reasons = []
    if model.custom_operators:
        reasons.append(f"needs operators that are not ONNX's own ({_few(model.custom_operators)})")
    if model.external_outside:
        reasons.append(f"wants weights outside of its folder ({_few(model.external_outside)})")
    if model.external_missing:
        reasons.append(
            f"its weights are missing ({_few(model.external_missing)}); put them beside it"
        )
    huge = [
        tensor.name
        for tensor in (*model.inputs, *model.outputs)
        if math.prod(size for size in tensor.shape if isinstance(size, int)) > MOST_NUMBERS
    ]
    if huge:
        reasons.append(f"declares tensors of more than {MOST_NUMBERS} numbers ({_few(huge)})")
    return reasons


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _of_deepfacelab(face: Tensor, names: Sequence[str], outputs: Sequence[str]) -> Contract:
    side = _side(face)
    layout = f"NHWC, BGR, 0..1, {side} px" if side else "NHWC, BGR, 0..1"
    if outputs == ["out_mask"]:
        return Contract("xseg", "DeepFaceLab XSeg, a face mask network", layout)
    if "out_celeb_face" in outputs:
        if "morph_value" in names:
            return Contract("dfm-amp", "DeepFaceLive DFM of type AMP (with morph_value)", layout)
        return Contract("dfm", "DeepFaceLive DFM (SAEHD)", layout)
    return Contract("deepfacelab", "a DeepFaceLab export of unknown kind", layout)


def _one_shot(inputs: Mapping[str, Tensor]) -> Contract:
    side = _side(inputs["target"])
    layout = f"NCHW, RGB, {side} px, with a 512 number identity vector"
    if inputs["source"].shape[-1:] != (512,):
        return Contract("one-shot", "a one-shot swap network", "a picture and an identity")
    if side == 128:
        return Contract("inswapper", "inswapper_128 (InsightFace), 0..1", layout)
    if side == 256:
        return Contract("hyperswap", "hyperswap_1x_256 or alike, -1..1", layout)
    return Contract("one-shot", "a one-shot swap network", layout)


def _by_shape(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Contract:
    pictures = [tensor for tensor in inputs if _channels_first(tensor) or _channels_last(tensor)]
    if len(inputs) == 1 and pictures:
        order = "NCHW" if _channels_first(inputs[0]) else "NHWC"
        side = _side(inputs[0])
        layout = f"{order}, {side} px" if side else order
        if outputs[0].shape[1:] == (512,):
            return Contract(
                "embedding", "a network that describes faces (ArcFace or alike)", layout
            )
        if _channels_first(outputs[0]) or _channels_last(outputs[0]):
            return Contract("picture", "a network from picture to picture, no metadata", layout)
    return Contract("unknown", "nothing that is known here", "see its tensors")


def _channels_first(tensor: Tensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[1] == 3


def _channels_last(tensor: Tensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[3] == 3


def _side(tensor: Tensor) -> int | None:
    """Side of the square picture, if it has one."""
    for one, other in pairwise(tensor.shape):
        if isinstance(one, int) and one == other and one > 4:
            return one
    return None
