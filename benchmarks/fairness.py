"""Whose skin does each rule know? Ten tones, three exposures, three colors of light.

Painted faces (`benchmarks.shaded_face`), so the truth is known to the pixel. Recall is the share
of the face's own skin that the rule accepts, the worst of all lights and exposures for each
tone; false positives are hair and walls of near colors. IoU compares the finished mask (largest
part, holes filled, eyes and mouth added, fallback to the hull) with the face. The last column
needs no landmarks, only the face's box.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.shaded_face import LIGHTS, MONK_TONES, SIZE, ShadedFace, shaded_face
from engine import masks
from engine.face_mask import FaceMask
from engine.skin import skin_mask
from engine.skin_box import skin_in_box
from engine.skin_model import SkinModel, patches

_EXPOSURES_EV = (-1.0, 0.0, 1.0)


@click.command()
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def fairness(file: Path | None) -> None:
    """Recall, false positives and IoU of every skin rule on the ten Monk tones."""
    lights = list(product(_EXPOSURES_EV, LIGHTS))
    faces = {
        tone: [shaded_face(tone, *light, seed) for seed, light in enumerate(lights)]
        for tone in MONK_TONES
    }
    rules = {rule: _measure(rule, faces) for rule in masks.SKIN_METHODS}
    result = {
        "question": "recall of skin on ten tones, -1 to +1 EV, neutral, warm and cool light",
        "machine": describe(),
        "exposures_ev": _EXPOSURES_EV,
        "lights": LIGHTS,
        "tones": MONK_TONES,
        "rules": rules,
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(_markdown(rules))
    click.echo(json.dumps(result))


def _measure(rule: masks.SkinMethod, faces: dict[str, list[ShadedFace]]) -> dict[str, Any]:
    recall: list[float] = []
    false_positives: list[float] = []
    finished: list[float] = []
    box: list[float] = []
    for pictures in faces.values():
        accepted = [_accepted(rule, face) > 0 for face in pictures]
        pairs = list(zip(accepted, pictures, strict=True))
        recall.append(min(float(mask[face.skin].mean()) for mask, face in pairs))
        false_positives.append(_mean([float(mask[face.other].mean()) for mask, face in pairs]))
        finished.append(_mean([_iou(_finished(rule, face), face.face) for face in pictures]))
        box.append(_mean([_iou(_boxed(rule, face), face.face) for face in pictures]))
    return {
        "recall": _rounded(recall),
        "recall_gap": round(max(recall) - min(recall), 3),
        "false_positives": _rounded(false_positives),
        "iou_of_the_finished_mask": _rounded(finished),
        "iou_from_the_box_only": _rounded(box),
    }


def _accepted(rule: masks.SkinMethod, face: ShadedFace) -> NDArray[np.uint8]:
    if rule != "calibrated":
        return skin_mask(face.image, rule)
    model = SkinModel()
    model.learn(face.image, patches(face.points, SIZE))
    return model.mask(face.image)


def _finished(rule: masks.SkinMethod, face: ShadedFace) -> NDArray[np.bool_]:
    mask, _ = FaceMask()(
        ("skin",), face.image, face.points, None, rule=rule, erode=0.0, feather=0.0
    )
    return mask > 0.5


def _boxed(rule: masks.SkinMethod, face: ShadedFace) -> NDArray[np.bool_]:
    (left, top), (right, bottom) = face.points.min(axis=0), face.points.max(axis=0)
    mask, _ = skin_in_box(face.image, (left, top, right, bottom), rule)
    return mask > 0.5


def _iou(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(mask & truth)) / max(int(np.count_nonzero(mask | truth)), 1)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def _markdown(rules: dict[masks.SkinMethod, dict[str, Any]]) -> str:
    tones = " | ".join(map(str, range(1, len(MONK_TONES) + 1)))
    rows = [
        f"| rule | {tones} | largest gap | false positives | IoU, finished | IoU, box only |",
        "| --- |" + " ---: |" * (len(MONK_TONES) + 4),
    ]
    for rule, found in rules.items():
        recall = " | ".join(f"{value:.2f}" for value in found["recall"])
        spans = [
            f"{min(found[key]):.2f} to {max(found[key]):.2f}"
            for key in ("false_positives", "iou_of_the_finished_mask", "iou_from_the_box_only")
        ]
        rows.append(f"| `{rule}` | {recall} | {found['recall_gap']:.2f} | {' | '.join(spans)} |")
    return "\n".join(rows)
