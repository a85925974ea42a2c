"""The command line of the quality harness."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import cv2

from benchmarks.machine import describe
from benchmarks.quality import sheet, trials, verdicts
from benchmarks.quality.clip import ClipRun, play
from benchmarks.quality.scene import FRAME_NS, Engine, open_engine
from benchmarks.quality.trials import HairCrossing, Noise
from engine import blend
from engine.blend import BLENDS
from engine.color import TRANSFERS
from engine.errors import EngineError
from engine.masks import SHAPES
from stream.config import Config, load
from stream.errors import StreamError
from stream.presets import PRESETS
from stream.sources import open_source


class BadInputError(click.ClickException):
    """What was asked for cannot be done."""

    exit_code = 2


@click.command()
@click.argument("clips", nargs=-1)
@click.option("--model", "-m", default="maro", show_default=True, metavar="NAME|PATH")
@click.option("--preset", type=click.Choice(PRESETS), help="Settings to start from.")
@click.option("--mask", metavar="SHAPES", help=f"{', '.join(SHAPES)}, or several joined by +.")
@click.option("--color", metavar="TRANSFER", help=f"{', '.join(TRANSFERS)}, or with +light.")
@click.option("--blend", "how", type=click.Choice(BLENDS), help="How the face meets the frame.")
@click.option("--faces", type=click.IntRange(1, 16), help="Judge at most so many faces a frame.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting.")
@click.option("--frames", default=40, show_default=True, type=click.IntRange(1), help="Of a clip.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the sheets.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def quality(  # noqa: PLR0913, PLR0917  # one parameter for each option
    clips: tuple[str, ...],
    model: str,
    preset: str | None,
    mask: str | None,
    color: str | None,
    how: str | None,
    faces: int | None,
    overrides: tuple[str, ...],
    frames: int,
    out: Path | None,
    file: Path | None,
) -> None:
    """How well does the new face sit in CLIPS (default: the bundled demo)?

    Prints a table for each clip; with --out it also draws a sheet of pictures. 'natural'
    means: the target is missed, but not by more than in the original frame itself.
    """
    cv2.setNumThreads(1)
    options = {
        "model": model,
        "preset": preset,
        "blend.mask": mask,
        "blend.color": color,
        "blend.blend": how,
        "track.max_faces": faces,
        "device": "cpu",
        "threads": 1,
    }
    try:
        config = load(None, overrides, options)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        result = _judge(config, clips or ("demo",), frames, out)
        if file is not None:
            file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    except (StreamError, EngineError, OSError) as error:
        raise BadInputError(str(error)) from error
    click.echo(json.dumps(result))


def _judge(config: Config, clips: tuple[str, ...], frames: int, out: Path | None) -> dict[str, Any]:
    for clip in clips:  # Better now than after minutes.
        with open_source(clip, config.input):
            pass
    blend.warm_up(config.blend)
    judged: dict[str, Any] = {}
    with open_engine(config) as stages:
        hair = _hair(stages, config)
        for clip in clips:
            run = ClipRun(Path(clip).stem)
            play(run, stages, replace(config, source=clip), frames)
            tried = _trials(stages, run, hair, config)
            found = list(verdicts.numbers(run, tried))
            click.echo(verdicts.render(f"{run.name} {run.width}x{run.height}", found))
            judged[run.name] = {
                "size": [run.width, run.height],
                "frames": run.frames,
                "faces": len(run.views),
                "numbers": {number.name: number.to_json() for number in found},
                "identity": {str(px): same.to_json() for px, same in tried.identity.items()},
            }
            if out is not None:
                sheet.save(run.views, out / f"{run.name}.png")
    return {
        "question": "how well does the swapped face sit in the picture",
        "machine": describe(),
        "model": config.model if "/" not in config.model else Path(config.model).name,
        "preset": config.preset,
        "settings": asdict(config.blend),
        "hair_crossing": None if hair is None else asdict(hair),
        "clips": judged,
    }


def _hair(stages: Engine, config: Config) -> HairCrossing | None:
    """On the demo's face, whatever the clips are: the trial needs only its landmarks."""
    demo = ClipRun("demo")
    play(demo, stages, replace(config, source="demo"), 1)
    if demo.still is None:
        return None
    stages.restart()
    faces = stages.detect(demo.still, FRAME_NS).faces
    return trials.hair_crossing(config.blend, faces[0].landmarks) if faces else None


def _trials(
    stages: Engine, run: ClipRun, hair: HairCrossing | None, config: Config
) -> verdicts.Trials:
    if run.still is None:
        return verdicts.Trials(None, {}, {}, hair)
    smoothing = config.track.smoothing
    pixel, scaled = Noise(px=1.0), Noise(share=0.004)
    return verdicts.Trials(
        still=trials.flicker(stages, run.still),
        shaken={
            "landmarks +-1 px": trials.shaken(stages, run.still, pixel, smoothing),
            "landmarks +-0.4 %": trials.shaken(stages, run.still, scaled, smoothing),
            f"+-0.4 % {verdicts.UNFILTERED}": trials.shaken(stages, run.still, scaled, None),
        },
        identity=trials.identity(stages, run.still),
        hair=hair,
    )
