"""A report as a picture and as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from engine.face import Image
from export.deployed import Deployed
from export.errors import TrainingError
from export.model_report import Measured, Swapped
from export.poses import EXPRESSIONS, YAWS, Pose
from export.replacing import replacing

_MARGIN: Final = 24  # pixels for the words above and beside the grid
_GAP: Final = 6
_INK: Final = (40, 40, 40)
_DISTANCES: Final = {
    "swap_to_b": "swap to persona",
    "swap_to_a": "swap to source",
    "a_to_b": "source to persona",
    "b_to_b": "persona to persona",
}


def draw_grid(swapped: Swapped, per_cell: int = 2, *, renders_only: bool = False) -> Image:
    """Show source, swap and, if known, truth, by yaw and expression.

    Args:
        swapped: faces of any poses; those without landmarks are not shown.
        per_cell: at most so many faces a cell, one below the other.
        renders_only: show nobody who is, or may be, real.

    Returns:
        (H, W, 3) uint8 BGR; expressions that nobody shows have no row.

    Raises:
        TrainingError: there is nobody to show.
    """
    faces = swapped.faces
    columns = [faces.picture, swapped.pictures]
    if faces.truth is not None:
        columns.append(faces.truth)
    size = swapped.pictures.shape[1]
    words = "source | swap | truth" if faces.truth is not None else "source | swap"
    width, blank = size * len(columns), np.full((size, size * len(columns), 3), 235, np.uint8)
    shown = np.full(len(faces), not renders_only)
    if renders_only and faces.rendered is not None:
        shown = faces.rendered
    rows = []
    for expression in EXPRESSIONS:
        cells = []
        for yaw in YAWS:
            cell = Pose(yaw, expression)
            found = [i for i, pose in enumerate(swapped.poses) if pose == cell and shown[i]]
            chosen = found[:: max(len(found) // per_cell, 1)][:per_cell]
            cells.append([np.hstack([column[i] for column in columns]) for i in chosen])
        for line in range(max(map(len, cells))):
            tiles = [cell[line] if line < len(cell) else blank for cell in cells]
            side = _words(expression if line == 0 else "", size)
            turned = np.rot90(side)  # read from below
            rows.append(_with_gaps([turned, *tiles], 1))
    if not rows:
        raise TrainingError(
            "nobody to draw: no face with landmarks"
            + (" is known to be rendered; give shards of pairs" if renders_only else "")
        )
    heads = [np.full((_MARGIN, _MARGIN, 3), 255, np.uint8)]
    heads += [_words(f"{yaw}: {words}", width) for yaw in YAWS]
    return _with_gaps([_with_gaps(heads, 1), *rows], 0)


def _words(text: str, width: int) -> Image:
    canvas = np.full((_MARGIN, width, 3), 255, np.uint8)
    cv2.putText(canvas, text, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
    return canvas


def _with_gaps(parts: list[Image], axis: int) -> Image:
    shape = list(parts[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    spaced = [piece for part in parts for piece in (part, gap)]
    return np.concatenate(spaced[:-1], axis=axis)


def describe(model: Deployed, swapped: Swapped, measured: Measured) -> dict[str, Any]:
    """Everything about a model and its measurement, JSON-ready."""
    facts = {key: model.facts[key] for key in ("name", "persona", "licence", "consent")}
    facts["dtype"] = model.facts.get("dtype", "not stated")
    return {
        "model": {
            **facts,
            "input_size": model.info.input_size,
            "output_size": model.info.output_size,
        },
        "faces": len(swapped.faces),
        **measured.as_json(),
    }


def markdown(described: Mapping[str, Any], missing_embedder: str | None) -> str:
    """The same as tables.

    Args:
        described: from `describe`.
        missing_embedder: why there are no distances, if there are none.
    """
    model = described["model"]
    rows = [("size", f"{described['megabytes']:.1f} MB, {model['dtype']}")]
    latency = described["latency_ms"]
    rows.append(
        (
            "processor time, one thread",
            f"{latency['median']:.1f} ms a face (best {latency['best']:.1f})",
        )
    )
    names = {"a": "decoder A on its own faces", "b": "decoder B on its own faces"}
    compared = {names[side]: one for side, one in described["reconstruction"].items()}
    for kind, one in described["swap"].items():
        compared[f"swap of {kind} faces against the truth"] = one
    rows += [(name, _agreement(one)) for name, one in compared.items()]
    rows += [
        (f"sharpness of the swap / of the {other}", f"{value:.2f}")
        for other, value in described["sharpness"].items()
    ]
    if described["identity"] is None:
        rows.append(("identity distance", missing_embedder or "not measured"))
    else:
        rows += [
            (f"identity distance, {_DISTANCES[name]}", f"{value:.2f}")
            for name, value in described["identity"].items()
        ]
    lines = [
        f"# {model['name']}: {described['faces']} faces that were not trained on",
        "",
        f"{model['persona']}, {model['input_size']} px in, {model['output_size']} px out.",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in rows),
    ]
    if described["poses"]:
        lines += ["", f"| SSIM (faces) | {' | '.join(YAWS)} |", "| --- |" + " ---: |" * len(YAWS)]
        for expression in EXPRESSIONS:
            found = [described["poses"].get(f"{yaw}, {expression}") for yaw in YAWS]
            cells = [f"{one['ssim']:.3f} ({one['faces']})" if one else "" for one in found]
            lines.append(f"| {expression} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _agreement(one: Mapping[str, float]) -> str:
    return f"SSIM {one['ssim']:.3f}, L1 {one['l1']:.3f} ({one['faces']} faces)"


def write(stem: Path, picture: Image, table: str, described: Mapping[str, Any]) -> list[Path]:
    """Write STEM.png, STEM.md and STEM.json; each replaces its predecessor whole.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    encoded, png = cv2.imencode(".png", picture)
    assert encoded
    contents = {
        ".png": png.tobytes(),
        ".md": table.encode(),
        ".json": (json.dumps(described, indent=2) + "\n").encode(),
    }
    written = []
    for ending, content in contents.items():
        path = stem.with_name(stem.name + ending)
        with replacing(path) as part:
            part.write_bytes(content)
        written.append(path)
    return written
