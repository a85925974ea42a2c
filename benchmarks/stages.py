"""What does each stage cost alone, and what is the least that it could cost?

One process, one thread a stage, one stage after the other, so that nothing waits for anything.
Clips are the bundled demo, scaled and tiled. The bound is what the bytes and multiplications of a
stage take at what this machine was measured to do (see `benchmarks.roofline`): bytes are those
that any implementation must read and write once, decoded and encoded pictures included, and say
nothing about the arithmetic of H.264, JPEG and the landmark network, which no short sum describes.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import cv2
import numpy as np

from benchmarks import stages_plot
from benchmarks.machine import describe
from benchmarks.roofline import Roof, Work, count_macs, measure
from benchmarks.spread import spread
from benchmarks.tiled_clip import SIZES, Scene, write
from engine.face import Face
from engine.models import model_path
from stream.config import load
from stream.frame import Frame
from stream.run import Run
from stream.sinks import Sink, SinkSettings, open_sink
from stream.worker import Stage

STAGES: Final = ("capture", "detect", "swap", "blend", "encode", "jpeg")

WARM_UP: Final = 10
"""Frames of each pass that do not count: faces are looked for, loops are compiled."""
_JPEG_QUALITY: Final = 85
_DETECTOR_SIDE: Final = 256
"""Pixels of the square that the landmark network reads."""


@click.command()
@click.option(
    "--sizes", default=",".join(SIZES), show_default=True, help="With one face each; of these."
)
@click.option("--faces", default="1,2,3,4", show_default=True, help="At 720p.")
@click.option("--frames", default=40, show_default=True, help="Of each pass.")
@click.option("--repeats", default=3, show_default=True, help="Passes, all scenes in turn.")
@click.option("--model", default="maro", show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the stages to this PNG.")
def stages(  # noqa: PLR0913, PLR0917 - one parameter for each option
    sizes: str,
    faces: str,
    frames: int,
    repeats: int,
    model: str,
    device: str,
    file: Path | None,
    plot: Path | None,
) -> None:
    """Cost of each stage alone, beside what the machine allows."""
    scenes = list(
        dict.fromkeys(
            [
                *(Scene(_known(size), 1) for size in sizes.split(",")),
                *(Scene("720p", int(count)) for count in faces.split(",")),
            ]
        )
    )
    config = load(None, [], {"model": model, "device": device})
    roof = measure(config.device)
    passes: dict[Scene, list[dict[str, Any]]] = {scene: [] for scene in scenes}
    with tempfile.TemporaryDirectory() as folder:
        clips = {scene: write(Path(folder), scene, (frames + WARM_UP) / 25) for scene in scenes}
        for number, (scene, clip) in itertools.product(range(repeats), clips.items()):
            passes[scene].append(one_pass(clip, scene, model, device, Path(folder)))
            click.echo(f"round {number + 1}: {scene}", err=True)
    macs = count_macs(model_path(model))
    result = {
        "question": "milliseconds of each stage alone, and the least that the machine allows",
        "machine": describe(),
        "settings": {"model": model, "device": device, "frames": frames, "repeats": repeats},
        "roof": asdict(roof),
        "model_macs": macs,
        "scenes": {str(scene): _summary(scene, passes[scene], roof, macs) for scene in scenes},
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        stages_plot.draw(result, plot)
    click.echo(json.dumps(result))


def _known(size: str) -> str:
    if size not in SIZES:
        raise click.BadParameter(f"{size!r}; expected some of {', '.join(SIZES)}")
    return size


def one_pass(clip: Path, scene: Scene, model: str, device: str, folder: Path) -> dict[str, Any]:
    """All stages over a clip, one after the other.

    Returns:
        "ms" and "cpu_ms" of each stage, the medians over frames; "face_pixels": mean area of the
        faces' crops in the picture; "faces": how many were swapped in a frame, on average.
    """
    chosen = {
        "source": str(clip),
        "out": "null",
        "mode": "lossless",
        "threads": 1,
        "model": model,
        "device": device,
    }
    config = load(None, [], chosen)
    config = replace(config, track=replace(config.track, max_faces=scene.faces))
    wall: dict[str, list[float]] = {name: [] for name in STAGES}
    processor: dict[str, list[float]] = {name: [] for name in STAGES}
    areas, counts = [], []
    with ExitStack() as opened:
        run = opened.enter_context(Run(config))
        target = folder / "encoded.mp4"
        sink = opened.enter_context(open_sink(str(target), run.info, SinkSettings(threads=1)))
        steps: dict[str, Stage] = {
            "capture": lambda frame: frame,
            **run.stages,
            "encode": partial(_encode, sink),
            "jpeg": _jpeg,
        }
        source = iter(run.source)
        for number in itertools.count():
            began_s, cpu_s = time.perf_counter(), time.thread_time()
            frame = next(source, None)
            for name, step in steps.items():
                if frame is not None:
                    frame = step(frame)
                now_s, now_cpu_s = time.perf_counter(), time.thread_time()
                if number >= WARM_UP and frame is not None:
                    wall[name].append((now_s - began_s) * 1e3)
                    processor[name].append((now_cpu_s - cpu_s) * 1e3)
                began_s, cpu_s = time.perf_counter(), time.thread_time()
            if frame is None:
                break
            counts.append(sum(face.swap is not None for face in frame.faces))
            areas.append(sum(map(_pixels, frame.faces)))
    return {
        "ms": {name: float(np.median(values)) for name, values in wall.items()},
        "cpu_ms": {name: float(np.median(values)) for name, values in processor.items()},
        "faces": float(np.mean(counts)),
        "face_pixels": float(np.mean(areas)),
    }


def _encode(sink: Sink, frame: Frame) -> Frame:
    sink.write(frame)
    return frame


def _jpeg(frame: Frame) -> Frame:
    cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return frame


def _pixels(face: Face) -> float:
    if face.swap is None:
        return 0.0
    height, width = face.swap.image.shape[:2]
    return float(height * width / abs(np.linalg.det(face.swap.frame_to_crop[:, :2])))


def least(scene: Scene, faces: float, face_pixels: float, macs: int) -> dict[str, Work]:
    """What each stage has to move and multiply for one frame.

    Args:
        scene: for the size of the picture.
        faces: in a frame.
        face_pixels: area of all their crops in the picture.
        macs: of the model, for one face.
    """
    width, height = SIZES[scene.size]
    pixels = width * height
    bgr, yuv = 3 * pixels, 1.5 * pixels
    return {
        "capture": Work(yuv + bgr),
        "detect": Work(faces * 3 * _DETECTOR_SIDE**2),
        "swap": Work(2 * 3 * face_pixels, faces * macs),
        "blend": Work(2 * 3 * face_pixels),
        "encode": Work(bgr + yuv),
        "jpeg": Work(bgr),
    }


def _summary(
    scene: Scene, passes: Iterable[Mapping[str, Any]], roof: Roof, macs: int
) -> dict[str, Any]:
    passes = list(passes)
    faces = float(np.mean([one["faces"] for one in passes]))
    face_pixels = float(np.mean([one["face_pixels"] for one in passes]))
    works = least(scene, faces, face_pixels, macs)
    return {
        "faces": faces,
        "stages": {
            name: {
                "ms": spread([one["ms"][name] for one in passes]),
                "cpu_ms": spread([one["cpu_ms"][name] for one in passes]),
                "megabytes": works[name].moved / 1e6,
                "gmac": works[name].macs / 1e9,
                "bound_ms": roof.bound_ms(works[name]),
            }
            for name in STAGES
        },
    }
