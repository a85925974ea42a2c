"""How sure is the watermark, what survives, can it be seen, and what does it cost?

False alarms are far too rare to be counted. The search states a bound on them: all places that are
tried, each as likely to mislead as a standard normal number. So the score is measured on many
pictures without mark, and how often it goes beyond lower levels is set beside what the bound says
there: if it held nowhere below, it would be worth nothing above.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.face_points import landmarks
from benchmarks.machine import describe
from benchmarks.turns import best_of_turns
from engine import assets, blend, models
from engine.face import Face, Image
from engine.paste import Patch
from engine.swap import Swapper
from engine.track import FaceTracker
from stream.marking.watermark import Watermark
from stream.marking.watermark_reader import MOST_CHANCE, WatermarkReader, chance
from stream.sources import SourceSettings, open_source

_FACE_PX = 256
_RATE = 25


@click.command("watermark")
@click.argument("clips", nargs=-1)
@click.option("--frames", default=100, show_default=True, help="Of each clip.")
@click.option("--noise", default=2000, show_default=True, help="Pictures of noise without mark.")
@click.option("--rounds", default=200, show_default=True, help="Of the timing.")
@click.option(
    "--unmarked",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of pictures of faces without mark.",
)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def watermark(  # noqa: PLR0913, PLR0917 - one parameter for each option
    clips: tuple[str, ...],
    frames: int,
    noise: int,
    rounds: int,
    unmarked: Path | None,
    file: Path | None,
) -> None:
    """Score without mark and after encoders, loss of quality, time; CLIPS: the demo by default."""
    pictures = sorted(unmarked.iterdir()) if unmarked is not None else []
    result = {
        "question": "false alarms, robustness, visibility and cost of the watermark",
        "machine": describe(),
        "least_score": round(_least_score(), 2),
        "false_alarms": {
            "noise": _tail(_scores(_noise(noise))),
            **({"faces": _tail(_scores(_faces(pictures)))} if pictures else {}),
        },
        "clips": {Path(clip).stem: _clip(clip, frames) for clip in clips or ("demo",)},
        "ms_per_face_256_px": round(_cost_ms(rounds), 3),
    }
    text = json.dumps(result)
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(text)


def _least_score() -> float:
    """The score from which a single face counts as marked."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) > MOST_CHANCE else (low, middle)
    return high


def _noise(count: int) -> Iterator[Image]:
    random = np.random.default_rng(1)
    for _ in range(count):
        drawn = random.normal(0, 1, (128, 128, 3)).astype(np.float32)
        smooth = cv2.GaussianBlur(drawn, (0, 0), random.uniform(0.3, 6))
        contrast = random.uniform(2, 60) / max(float(smooth.std()), 1e-6)
        yield np.clip(smooth * contrast + 128, 0, 255).astype(np.uint8)


def _faces(paths: Sequence[Path]) -> Iterator[Image]:
    for path in paths:
        image = cv2.imread(str(path))
        if image is not None:
            how = cv2.INTER_AREA if min(image.shape[:2]) > 128 else cv2.INTER_CUBIC
            yield np.asarray(cv2.resize(image, (128, 128), interpolation=how), np.uint8)


def _scores(crops: Iterable[Image]) -> NDArray[np.float64]:
    reader = WatermarkReader()
    return np.array([reader.score(reader.evidence(crop)) for crop in crops])


def _tail(scores: NDArray[np.float64]) -> dict[str, Any]:
    """How often scores go beyond some levels, and how often they may at most."""
    return {
        "pictures": len(scores),
        "median": round(float(np.median(scores)), 3),
        "greatest": round(float(scores.max()), 3),
        "beyond": {
            f"{level:g}": {
                "counted": int((scores >= level).sum()),
                "at_most": round(len(scores) * chance(level), 1),
            }
            for level in (4.0, 4.5, 5.0)
        },
        "false_alarms_counted": int((scores >= _least_score()).sum()),
        "false_alarm_at_most": MOST_CHANCE,
    }


def _clip(url: str, frames: int) -> dict[str, Any]:
    plain, marked, psnr, face_px = _swapped(url, frames)
    height, width = plain[0].shape[:2]
    table = {}
    for crf in (18, 23, 28):
        for scale in (1.0, 0.5):
            table[f"crf {crf}, size {scale:g}"] = _read(_encoded(marked, crf, scale))
    return {
        "size": f"{width}x{height}",
        "face_px": face_px,
        "frames": len(plain),
        "psnr_db": round(psnr, 2),
        "score_without_mark": _read(_encoded(plain, 23, 1.0)),
        "score": table,
    }


def _swapped(url: str, frames: int) -> tuple[list[Image], list[Image], float, int]:
    """Frames with swapped faces, without and with mark; PSNR inside of the faces; their height."""
    blend.warm_up()
    swapper = Swapper(models.model_path("maro"), "cpu", 1)
    blender, mark = blend.Blender(), Watermark()
    plain: list[Image] = []
    marked: list[Image] = []
    errors: list[float] = []
    heights: list[int] = []
    with (
        FaceTracker(assets.landmark_model()) as tracker,
        open_source(url, SourceSettings()) as source,
    ):
        for frame in source:
            if len(plain) == frames:
                break
            image = frame.image
            faces = swapper(image, tracker.update(image, frame.pts_ns))
            blender(image, faces)
            copy = image.copy()
            mark(copy, faces, blender.patches)
            for patch in blender.patches.values():
                inside = patch.alpha > 0.05
                change = patch.region(copy)[inside].astype(float) - patch.region(image)[inside]
                errors.append(float((change**2).mean()))
                heights.append(patch.alpha.shape[0])
            plain.append(image)
            marked.append(copy)
    return plain, marked, 10 * math.log10(255**2 / float(np.mean(errors))), int(np.median(heights))


def _encoded(images: Sequence[Image], crf: int, scale: float) -> Iterator[Image]:
    buffer = io.BytesIO()
    height, width = (round(side * scale) // 2 * 2 for side in images[0].shape[:2])
    with av.open(buffer, "w", format="mp4") as container:
        options = {"crf": str(crf), "preset": "medium"}
        stream = container.add_stream("libx264", rate=_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            picture = av.VideoFrame.from_ndarray(np.asarray(small, np.uint8), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as film:
        for frame in film.decode(video=0):
            yield np.ascontiguousarray(frame.to_ndarray(format="bgr24"))


def _read(images: Iterable[Image]) -> dict[str, float]:
    """Score after so many frames."""
    reader, scores = WatermarkReader(), {}
    with FaceTracker(assets.landmark_model()) as tracker:
        for number, image in enumerate(images, 1):
            reader.add(image, tracker.update(image, number * 10**9 // _RATE))
            if number in {1, 25}:
                scores[str(number)] = _best(reader)
    return scores | {"all": _best(reader)}


def _best(reader: WatermarkReader) -> float:
    traces = reader.traces()
    return round(traces[0].score, 1) if traces else 0.0


def _cost_ms(rounds: int) -> float:
    face = Face(landmarks((_FACE_PX / 2, _FACE_PX / 2), _FACE_PX * 1.2), track=0)
    image = np.full((_FACE_PX, _FACE_PX, 3), 128, np.uint8)
    patches = {0: Patch(np.ones((_FACE_PX, _FACE_PX, 4), np.float32), 0, 0)}
    mark = Watermark()
    return best_of_turns({"mark": lambda: mark(image, [face], patches)}, rounds)["mark"] * 1e3
