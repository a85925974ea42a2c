"""What does matching the color of a face cost, how near does it come, and what is the bound?

Processor time of one thread for a 256 px crop as the blend stage matches it (measured, smoothed
and applied), the best of many rounds in which all methods take turns. What remains is measured
on painted faces of two people under two lights, over the skin of both: the mean color, the
spread of each color, the distributions (earth mover's distance along 30 directions), and the
brightness from place to place, all in gray levels. The light is part of the faces, so only
`light` can bring the last one down.

The bound is memory: 0.2 MB of crop are read and 0.8 MB of float written. `copy` does only that.
`opencv_lab` is the usual formulation, the same statistics by OpenCV in CIE Lab over the crop.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.shaded_face import SIZE, ShadedFace, shaded_face
from benchmarks.turns import best_of_turns
from engine import masks
from engine.align import FULL_FACE
from engine.blend import Blender
from engine.color import TRANSFERS, ColorMatch, parse_transfers, skin_weights
from engine.face import Face, Image, Swap
from stream import config
from stream.presets import PRESETS

Float: TypeAlias = NDArray[np.float32]

_METHODS = (
    *TRANSFERS,
    *(f"{name}+light" for name in TRANSFERS if name not in {"none", "light"}),
)
_PAIRS = (
    # the frame's tone, exposure and light; the swap is always the same
    ("f6ede4", 0.0, "neutral"),
    ("d7bd96", 0.5, "warm"),
    ("a07e56", -0.5, "cool"),
    ("825c43", -1.0, "warm"),
    ("604134", 0.5, "neutral"),
    ("3a312a", 1.0, "warm"),
)
_PLACE = (540, 100)  # left, top of the face in a 720p frame
_DIRECTIONS = 30


@click.command()
@click.option("--rounds", default=60, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def color(rounds: int, file: Path | None) -> None:
    """Every color transfer: time and what remains; presets: time of the whole blend stage."""
    cv2.setNumThreads(1)
    swap = shaded_face("eadaba", 0.0, "neutral", 0)
    pairs = [
        shaded_face(tone, exposure, light, seed)
        for seed, (tone, exposure, light) in enumerate(_PAIRS, 1)
    ]
    weights = [_weights(frame) for frame in pairs]
    ways = _ways(swap.image, pairs[0].image, weights[0])
    best_s = best_of_turns(ways, rounds)
    methods = {
        name: {
            "ms": round(best_s[name] * 1e3, 3),
            **(_remains(name, swap, pairs, weights) if name in _METHODS else {}),
        }
        for name in ways
    }
    presets_s = best_of_turns(_presets(swap.image, pairs[1]), rounds)
    result = {
        "question": "processor time and residual of matching the color of a 256 px crop",
        "machine": describe(),
        "bytes_read": swap.image.nbytes,
        "bytes_written": swap.image.size * 4,
        "methods": methods,
        "preset_ms": {name: round(seconds * 1e3, 2) for name, seconds in presets_s.items()},
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(_markdown(methods))
    click.echo(json.dumps(result))


def _weights(face: ShadedFace) -> Float:
    outline = masks.hull(face.points, SIZE)
    side = float(np.sqrt(outline.sum()))
    return skin_weights(masks.soften(outline, 0.01 * side, 0.12 * side), face.points)


def _ways(swap: Image, frame: Image, weights: Float) -> dict[str, Callable[[], object]]:
    copied = np.empty(swap.shape, np.float32)

    def matched(name: str) -> Callable[[], Float]:
        match = ColorMatch(parse_transfers(name))
        return lambda: match.apply(swap, frame, weights, 0.1)

    large = np.asarray(cv2.resize(weights, swap.shape[:2]) > 0.5, np.uint8)
    return {
        "copy": lambda: np.copyto(copied, swap),
        "opencv_lab": lambda: _opencv_lab(swap, frame, large),
        **{name: matched(name) for name in _METHODS},
    }


def _opencv_lab(swap: Image, frame: Image, mask: NDArray[np.uint8]) -> Float:
    """Mean and deviation of CIE Lab, without limits or smoothing."""
    lab = [cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_BGR2LAB) for crop in (swap, frame)]
    (mean, std), (wanted_mean, wanted_std) = (cv2.meanStdDev(crop, mask=mask) for crop in lab)
    gain = (wanted_std / np.maximum(std, 1e-3)).astype(np.float32).reshape(3)
    moved = (lab[0] - mean.astype(np.float32).reshape(3)) * gain
    moved += wanted_mean.astype(np.float32).reshape(3)
    return np.clip(cv2.cvtColor(moved, cv2.COLOR_LAB2BGR) * 255, 0, 255)


def _remains(
    name: str, swap: ShadedFace, pairs: list[ShadedFace], weights: list[Float]
) -> dict[str, float]:
    """What differs between the matched swap and the frame, mean over all pairs."""
    match_all = [
        _difference(
            ColorMatch(parse_transfers(name)).apply(swap.image, frame.image, weight, 1.0),
            frame.image,
            swap.skin & frame.skin,
        )
        for frame, weight in zip(pairs, weights, strict=True)
    ]
    means = np.mean(match_all, axis=0)
    names = ("mean_error", "std_error", "distribution_error", "place_error")
    return {key: round(float(value), 2) for key, value in zip(names, means, strict=True)}


def _difference(new: Float, frame: Image, skin: NDArray[np.bool_]) -> tuple[float, ...]:
    ours, wanted = new[skin], frame[skin].astype(np.float32)
    axes = np.random.default_rng(0).normal(size=(3, _DIRECTIONS))
    axes /= np.linalg.norm(axes, axis=0)
    sorted_ours, sorted_wanted = (np.sort(colors @ axes, axis=0) for colors in (ours, wanted))
    weight = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 12)
    blurred = [
        cv2.GaussianBlur(crop.astype(np.float32).mean(axis=2) * skin, (0, 0), 12)
        for crop in (new, frame)
    ]
    place = np.abs(blurred[0] - blurred[1])[skin] / weight[skin]
    return (
        float(np.abs(ours.mean(axis=0) - wanted.mean(axis=0)).mean()),
        float(np.abs(ours.std(axis=0) - wanted.std(axis=0)).mean()),
        float(np.abs(sorted_ours - sorted_wanted).mean()),
        float(place.mean()),
    )


def _presets(swap: Image, face: ShadedFace) -> dict[str, Callable[[], object]]:
    """The blend stage of a 256 px face in a 720p frame; each round gets the same frame again."""
    left, top = _PLACE
    original = np.full((720, 1280, 3), (90, 100, 110), np.uint8)
    original[top : top + SIZE, left : left + SIZE] = face.image
    points = (face.points + _PLACE).astype(np.float32)
    answer = Swap(swap, None, FULL_FACE.frame_to_crop(points, SIZE))
    image = original.copy()

    def blended(settings: dict[str, str]) -> Callable[[], int]:
        blender, age = Blender(config.load(None, [], settings).blend), iter(range(10**9))

        def blend() -> int:
            return blender(image, (Face(points, 1, next(age), 0.0, answer),))

        return blend

    ways: dict[str, Callable[[], object]] = {name: blended({"preset": name}) for name in PRESETS}
    ways["classic-2018 poisson"] = blended({"preset": "classic-2018", "blend.blend": "poisson"})
    return ways


def _markdown(methods: Mapping[str, Mapping[str, Any]]) -> str:
    columns = ("ms", "mean_error", "std_error", "distribution_error", "place_error")
    rows = [
        "| method | ms | mean | spread | distribution | place |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    rows += [
        f"| {name} | " + " | ".join(str(row.get(column, "")) for column in columns) + " |"
        for name, row in methods.items()
    ]
    return "\n".join(rows)
