"""Do training samples keep up with the network, and what bounds them?

Samples a second of one core. Ours against a straightforward re-creation of the 2017 way, which
resamples whole float64 pictures one after the other; all ways take turns in one process, in
processor time of one thread, the median of rounds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.shaded_face import LIGHTS, MONK_TONES, SIZE, shaded_face
from engine.align import umeyama
from engine.face import Image
from export.augment import NO_AUGMENT, PairAugment, paired_sample
from export.classic import (
    COVERAGE,
    ClassicAugment,
    StoredFace,
    bend,
    classic_samples,
    random_warps,
    store,
)
from export.dataset import STORED_SIZE, STORED_SPAN, Kind, MaskedPair, face_hull
from export.occluders import random_glasses, random_occluder
from export.photometry import random_camera
from export.regions import detail_map

_BATCH: Final = 64
_FACES: Final = 256  # more than a core's cache holds
_TARGET: Final = 2000.0


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    doubles: list[NDArray[np.float64]]
    bare: list[StoredFace]
    landmarked: list[StoredFace]
    pairs: list[MaskedPair]


@click.command()
@click.option("--rounds", default=15, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def augment(rounds: int, file: Path | None) -> None:
    """Training samples a second on one core, ours and the 2017 way."""
    cv2.setNumThreads(1)
    data, rng = _data(), np.random.default_rng(0)

    def rows() -> list[int]:
        return [int(row) for row in rng.integers(_FACES, size=_BATCH)]

    def classic(faces: list[StoredFace], output_size: int, how: ClassicAugment) -> None:
        chosen = [faces[row] for row in rows()]
        classic_samples(chosen, rng, how, input_size=64, output_size=output_size)

    def paired(how: PairAugment) -> None:
        samples = [
            paired_sample(data.pairs[row], rng, how, side="b", input_size=64, output_size=128)
            for row in rows()
        ]
        for parts in zip(*samples, strict=True):
            np.stack(parts)

    def straightforward() -> None:
        samples = [_sample_of_2017(data.doubles[row], rng) for row in rows()]
        for parts in zip(*samples, strict=True):
            np.stack(parts)

    light = ClassicAugment(occluder=0.3)
    seconds = _seconds(
        {
            "straightforward_64_to_64": straightforward,
            "classic_64_to_64": lambda: classic(data.bare, 64, ClassicAugment()),
            "classic_64_to_128_landmarks": lambda: classic(data.landmarked, 128, light),
            "classic_64_to_128_colors": lambda: classic(
                data.landmarked, 128, replace(light, camera=True)
            ),
            "paired_64_to_128": lambda: paired(PairAugment()),
        },
        rounds,
    )
    samples = {name: _BATCH / value for name, value in seconds.items()}
    result = {
        "question": "training samples a second on one core",
        "machine": describe(),
        "target_samples_per_s": _TARGET,
        "samples_per_s": {name: round(value) for name, value in samples.items()},
        "times_straightforward": {
            name: round(value / samples["straightforward_64_to_64"], 2)
            for name, value in samples.items()
        },
        "roofline": _roofline(data, samples, rounds),
        "stages_us": _stages(data, seconds, rounds),
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps(result))


def _seconds(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median processor seconds of each way, taken in turn."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(rounds + 1):
        for name, way in ways.items():
            began_s = time.thread_time()
            way()
            if round_number:  # the first one fills caches
                spent[name].append(time.thread_time() - began_s)
    return {name: statistics.median(values) for name, values in spent.items()}


def _roofline(data: _Data, samples: dict[str, float], rounds: int) -> dict[str, Any]:
    """What memory and what OpenCV's resampling alone would allow."""
    source = np.zeros(1 << 26, np.uint8)
    copy = np.ones_like(source)
    picture = data.pairs[0].a
    matrix = np.array([[0.83, 0.05, -18.0], [-0.05, 0.83, -10.0]])
    grid = np.mgrid[:64, :64].astype(np.float32) * 1.5
    copied = _seconds({"copy": lambda: np.copyto(copy, source)}, rounds)
    spent = _seconds(  # out of the cache, so by itself
        {
            "warp": lambda: cv2.warpAffine(
                picture, matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE
            ),
            "remap": lambda: cv2.remap(picture, grid[1], grid[0], cv2.INTER_LINEAR),
        },
        rounds * 10,
    )
    bandwidth = 2 * len(source) / copied["copy"]
    read_64, read_pair = (128 * COVERAGE) ** 2 * 4, 2 * (STORED_SIZE / STORED_SPAN) ** 2 * 4
    written_64, written_pair = 64 * 64 * (3 + 3 + 3), 64 * 64 * 3 + 128 * 128 * (3 + 3)
    per_pixel_s = spent["warp"] / 128**2, spent["remap"] / 64**2
    bounds = {
        "classic_64_to_64": (read_64 + written_64, 64 * 64 * sum(per_pixel_s)),
        "paired_64_to_128": (read_pair + written_pair, 2 * 128 * 128 * per_pixel_s[0]),
    }
    return {
        "copy_gb_per_s": round(bandwidth / 1e9, 1),
        "warp_ns_per_pixel": round(per_pixel_s[0] * 1e9, 2),
        "remap_ns_per_pixel": round(per_pixel_s[1] * 1e9, 2),
    } | {
        name: {
            "bytes": round(moved),
            "samples_per_s_by_bytes": round(bandwidth / moved),
            "samples_per_s_by_resampling": round(1 / resampling_s),
            "share_of_resampling_bound": round(samples[name] * resampling_s, 2),
        }
        for name, (moved, resampling_s) in bounds.items()
    }


def _stages(
    data: _Data, seconds: dict[str, float], rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Microseconds a sample of each stage, times how often it runs, and its share."""
    rng, pair, face = np.random.default_rng(1), data.pairs[0], data.bare[0]
    knots = random_warps(1, rng, ClassicAugment()).knots[0]
    still = paired_sample(pair, rng, NO_AUGMENT, side="b", input_size=64, output_size=128)
    place, drawn = pair.b_landmarks * (2 / 3), PairAugment()
    matrix = np.array([[0.83, 0.05, -18.0], [-0.05, 0.83, -10.0]])

    def resample() -> None:
        for picture in (pair.a, pair.b):
            cut = cv2.warpAffine(
                picture, matrix, (128, 128), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            cv2.cvtColor(cut, cv2.COLOR_BGRA2BGR)
            cv2.extractChannel(cut, 3)

    classic: dict[str, tuple[Callable[[], object], float]] = {
        "parameters": (lambda: random_warps(_BATCH, rng, ClassicAugment()), 1 / _BATCH),
        "bend": (lambda: bend(face.pictures[64], knots, 64), 1.0),
    }
    paired: dict[str, tuple[Callable[[], object], float]] = {
        "resample": (resample, 1.0),
        "camera": (lambda: random_camera(still.face, rng), 1.0),
        "detail_map": (lambda: detail_map(place, 128), 1.0),
        "occluder": (lambda: random_occluder(still.target, rng), drawn.occluder),
        "glasses": (lambda: random_glasses(still.target, rng), drawn.glasses),
    }
    tables = {"classic_64_to_64": classic, "paired_64_to_128": paired}
    result = {}
    for name, stages in tables.items():
        spent = _seconds({stage: call for stage, (call, _) in stages.items()}, rounds * 20)
        total_us = seconds[name] / _BATCH * 1e6
        micros = {stage: spent[stage] * often * 1e6 for stage, (_, often) in stages.items()}
        micros["everything_else"] = total_us - sum(micros.values())
        result[name] = {
            stage: {"us": round(value, 1), "share": round(value / total_us, 2)}
            for stage, value in micros.items()
        }
    return result


def _sample_of_2017(
    image: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn the whole picture, then cut twice out of it: (64, 64, 3) input and target."""
    matrix = cv2.getRotationMatrix2D((128, 128), rng.uniform(-10, 10), rng.uniform(0.95, 1.05))
    matrix = matrix + np.pad(rng.uniform(-0.05, 0.05, (2, 1)) * 256, ((0, 0), (2, 0)))
    moved = cv2.warpAffine(image, matrix, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.4:
        moved = moved[:, ::-1]
    along = np.linspace(48, 208, 5)
    places = np.stack(np.meshgrid(along, along)) + rng.normal(0, 5, (2, 5, 5))
    columns, lines = (cv2.resize(part, (80, 80))[8:72, 8:72].astype("float32") for part in places)
    bent = cv2.remap(moved, columns, lines, cv2.INTER_LINEAR)
    regular = np.stack(np.meshgrid(*[np.linspace(0, 64, 5)] * 2)).reshape(2, -1).T
    target = cv2.warpAffine(moved, umeyama(places.reshape(2, -1).T, regular), (64, 64))
    return np.asarray(bent, np.float64), np.asarray(target, np.float64)


def _data() -> _Data:
    """Painted faces in all tones and lights, cropped as training reads them."""
    data, lights = _Data([], [], [], []), list(LIGHTS)
    painted = [
        shaded_face(tone, 0.0, lights[index % len(lights)], index)
        for index, tone in enumerate(MONK_TONES)
    ]
    for index in range(_FACES):
        face = painted[index % len(painted)]
        picture, points = _with_margin(face.image, face.points, 1 / COVERAGE, 256)
        data.doubles.append(picture / 255.0)
        data.bare.append(store(picture, None, (64,)))
        data.landmarked.append(store(picture, (points + 0.5) / 256, (64, 128)))
        stored, points = _with_margin(face.image, face.points, STORED_SPAN, STORED_SIZE)
        near = points.astype(np.float32)
        masked = np.dstack([stored, face_hull(near)])
        data.pairs.append(MaskedPair(masked, masked.copy(), near, near, Kind.RENDER))
    return data


def _with_margin(
    image: Image, points: NDArray[np.float64], span: float, size: int
) -> tuple[Image, NDArray[np.float64]]:
    """A crop of the unit square in a larger one; its border repeats."""
    border = round(SIZE * (span - 1) / 2)
    larger = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
    scale = size / len(larger)
    resized = cv2.resize(larger, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), (points + border + 0.5) * scale - 0.5
