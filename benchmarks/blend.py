"""What do gradient-domain blending, a composite and the whole blend stage cost, and how exact?

Processor time of one thread, the best of many rounds taken in turn. The error is that of the
correction, in gray levels, against a sparse direct solver on the same equations. Beside each
time stands a bound: the bytes that have to be read and written, at the speed of a copy.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from benchmarks.face_points import landmarks, swapped
from benchmarks.machine import describe
from benchmarks.turns import best_of_turns
from engine import align, masks, paste, poisson
from engine.align import FULL_FACE
from engine.blend import BLENDS, Blender, BlendSettings
from engine.face import Image
from engine.masks import soften
from engine.multigrid import Domain, Float, Grids
from engine.seam import SeamMatch

_SIZES = (128, 200, 256, 300, 400, 512, 640)
_FRAME = (720, 1280)
_HD = (1080, 1920)
_OVERLAPS = range(0, 21, 2)
_GOALS = {256: 10, 400: 15, 512: 20}
_CLONE_BYTES = 9  # a pixel: both pictures read, one written
_PATCH_BYTES = 22  # a pixel: color and alpha as floats read, the frame read and written


@click.command()
@click.option("--rounds", default=30, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the comparison here.")
def blend(rounds: int, file: Path | None, plot: Path | None) -> None:
    """Our membrane against cv2.seamlessClone and an exact solution; composite; whole stage."""
    cv2.setNumThreads(1)
    speed = _copy_bytes_s()
    result: dict[str, Any] = {
        "question": "processor time and error of gradient-domain blending, round mask",
        "machine": describe(),
        "copy_gb_s": round(speed / 1e9, 1),
        "sizes": {str(size): _compare(size, rounds, speed) for size in _SIZES},
        "composite_of_250_px_at_720p_ms": _composite(rounds, speed),
        "stage_of_256_px_at_1080p_ms": _stage(rounds),
        "face_mean_with_hair_over_the_edge": _hair(),
    }
    text = json.dumps(result)
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        _draw(result, plot)
    click.echo(text)


def _copy_bytes_s() -> float:
    """Bytes read and written per second by a copy that is as large as a face."""
    source = np.zeros((512, 512, 3), np.uint8)
    copy = np.zeros_like(source)
    seconds = best_of_turns({"copy": lambda: np.copyto(copy, source)}, 200)["copy"]
    return 2 * source.nbytes / seconds


def _compare(size: int, rounds: int, copy_bytes_s: float) -> dict[str, Any]:
    frame = _picture(*_FRAME, seed=1)
    swap = _picture(size, size, seed=2)
    domain = _round(size)
    top, left = (_FRAME[0] - size) // 2, (_FRAME[1] - size) // 2
    place = np.s_[top : top + size, left : left + size]
    grids, blended = Grids(), frame.copy()

    def ours() -> Image:
        # In place: the next round finds another face, but the same pixels around it.
        poisson.clone(swap, blended[place], domain, grids)
        return blended

    def clone() -> Image:
        mask = domain.astype(np.uint8) * 255  # made anew: seamlessClone changes it
        x, y, width, height = cv2.boundingRect(mask)
        center = (left + x + width // 2, top + y + height // 2)
        return np.asarray(cv2.seamlessClone(swap, frame, mask, center, cv2.NORMAL_CLONE), np.uint8)

    best_s = best_of_turns({"ours": ours, "seamless_clone": clone}, rounds)
    difference = frame[place].astype(np.float32) - swap
    began_s = time.thread_time()
    exact = _exact(difference, domain)
    exact_s = time.thread_time() - began_s
    error = np.abs(poisson.membrane(difference, domain) - exact)[domain]
    return {
        "ours_ms": round(best_s["ours"] * 1e3, 3),
        "seamless_clone_ms": round(best_s["seamless_clone"] * 1e3, 3),
        "bound_ms": round(_CLONE_BYTES * size**2 / copy_bytes_s * 1e3, 3),
        "sparse_solver_ms": round(exact_s * 1e3, 1),
        "times_faster_than_seamless_clone": round(best_s["seamless_clone"] / best_s["ours"], 1),
        "max_error": round(float(error.max()), 3),
        "mean_error": round(float(error.mean()), 4),
    }


def _composite(rounds: int, copy_bytes_s: float) -> dict[str, dict[str, float]]:
    """A 250 px crop brought into a 720p frame: its hull, and all of it."""
    frame = _picture(*_FRAME, seed=1)
    points = landmarks((640.0, 360.0), 250.0, 5.0)
    crop, matrix = (
        _picture(128, 128, seed=2).astype(np.float32),
        FULL_FACE.frame_to_crop(points, 128),
    )
    hull = soften(masks.hull(align.apply(matrix, points), 128), 1.0, 12.0)
    results = {}
    for name, mask in (("hull", hull), ("whole_crop", np.ones((128, 128), np.float32))):
        placed = paste.place(crop, mask, matrix, frame.shape)
        assert placed is not None

        def both(mask: Float = mask) -> None:
            patch = paste.place(crop, mask, matrix, frame.shape)
            if patch is not None:
                paste.composite(frame, patch, 1.0)

        ways: dict[str, Callable[[], object]] = {
            "place": partial(paste.place, crop, mask, matrix, frame.shape),
            "composite": partial(paste.composite, frame, placed, 1.0),
            "both": both,
        }
        times = {
            way: round(seconds * 1e3, 3) for way, seconds in best_of_turns(ways, rounds).items()
        }
        pixels = placed.alpha.size
        results[name] = times | {"bound": round(_PATCH_BYTES * pixels / copy_bytes_s * 1e3, 3)}
    return results


def _stage(rounds: int) -> dict[str, float]:
    """All of blending one face that is 256 pixels high, from a model of two output sizes."""
    points = landmarks((960.0, 540.0), 256 / 0.77, 5.0)
    frame = _picture(*_HD, seed=1)
    image = frame.copy()
    region = np.s_[340:740, 760:1160]
    best_s: dict[str, float] = {}
    blenders = {how: Blender(BlendSettings(blend=how)) for how in BLENDS}
    for size in (128, 256):
        answer = _picture(size, size, seed=2)
        for age in range(rounds + 10):
            for how, blender in blenders.items():
                image[region] = frame[region]
                face = swapped(points, answer, age=age, track=size)
                began_s = time.thread_time()
                blender(image, (face,))
                taken_s = time.thread_time() - began_s
                if age >= 10:  # Compiled, and the details are settled.
                    name = f"{how}_of_{size}"
                    best_s[name] = min(best_s.get(name, taken_s), taken_s)
    return {name: round(seconds * 1e3, 3) for name, seconds in best_s.items()}


def _hair() -> dict[str, list[float]]:
    """Mean of a flat face of level 150 when a band of level 30 comes over the mask's edge."""
    size = 128
    means: dict[str, list[float]] = {"ours": [], "seamless_clone": []}
    face = np.full((size, size, 3), 150, np.uint8)
    domain, middle = _round(size), np.s_[48:80, 48:80]
    for overlap in _OVERLAPS:
        frame = face.copy()
        frame[: 2 + overlap] = 30
        ours = SeamMatch().apply(face.astype(np.float32), frame, _soft(size), _soft(64), 1.0)
        mask = domain.astype(np.uint8) * 255
        x, y, width, height = cv2.boundingRect(mask)
        center = (x + width // 2, y + height // 2)
        clone = np.asarray(cv2.seamlessClone(face, frame, mask, center, cv2.NORMAL_CLONE))
        means["ours"].append(round(float(ours[middle].mean()), 2))
        means["seamless_clone"].append(round(float(clone[middle].mean()), 2))
    return means


def _draw(result: dict[str, Any], file: Path) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415  # only for whoever wants the plot

    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    times, ratios = figure.subplots(1, 2)
    sizes = [int(size) for size in result["sizes"]]
    rows = list(result["sizes"].values())
    for key, label in (
        ("seamless_clone_ms", "cv2.seamlessClone"),
        ("ours_ms", "facestream"),
        ("bound_ms", "bound: reading and writing the pixels"),
    ):
        style = "k:" if key == "bound_ms" else "o-"
        times.plot(sizes, [row[key] for row in rows], style, label=label)
    times.set(xlabel="side of the face, px", ylabel="ms on one core", yscale="log")
    times.legend()
    ratios.plot(
        sizes, [row["times_faster_than_seamless_clone"] for row in rows], "o-", label="ours"
    )
    ratios.plot(list(_GOALS), list(_GOALS.values()), "kx", label="goal")
    ratios.set(xlabel="side of the face, px", ylabel="times faster than cv2.seamlessClone")
    ratios.set_ylim(bottom=0)
    ratios.legend()
    figure.savefig(file, dpi=110)


def _picture(height: int, width: int, seed: int) -> Image:
    """Colored clouds with some texture; two of them differ by up to 100 levels."""
    random = np.random.default_rng(seed)
    clouds = random.normal(128, 25, (5, 7, 3)).astype(np.float32)
    smooth = cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    rough = smooth + random.normal(0, 4, smooth.shape)
    return np.asarray(np.clip(rough, 0, 255), np.uint8)


def _round(size: int) -> Domain:
    """The circle that leaves two pixels free on each side."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.asarray(np.hypot(x, y) <= size / 2 - 2, np.bool_)


def _soft(size: int) -> Float:
    return soften(_round(size).astype(np.float32), 0.0, 0.09 * size)


def _exact(difference: Float, domain: Domain) -> NDArray[np.float64]:
    """Every pixel of the domain is the mean of its neighbors; those outside are known."""
    index = np.full(domain.shape, -1)
    index[domain] = np.arange(np.count_nonzero(domain))
    rows, columns = np.nonzero(domain)
    known = np.zeros((rows.size, difference.shape[2]))
    matrix = sparse.diags_array(np.full(rows.size, 4.0)).tocsc()
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        y, x = rows + dy, columns + dx
        other = index[y, x]
        inside = np.flatnonzero(other >= 0)
        links = (np.ones(inside.size), (inside, other[inside]))
        matrix -= sparse.csc_matrix(links, (rows.size, rows.size))
        known[other < 0] += difference[y, x][other < 0]
    surface = np.zeros(difference.shape)
    surface[domain] = splu(matrix).solve(known)
    return surface
