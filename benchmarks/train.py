"""How large, how fast and how quickly trained are the networks?

Size and latency on one CPU thread beside what the arithmetic alone takes; then, on the faces
of two people, three trainings judged on the same held-out faces: the network of 2017 and
`light` from scratch, and `light` from the bundled encoder.
"""

# ruff: noqa: PLC0415  # torch is an extra and takes seconds to import

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from benchmarks.machine import describe
from benchmarks.train_plot import plot
from engine.errors import EngineError
from export.errors import TrainingError

if TYPE_CHECKING:
    from benchmarks.train_runs import Point
    from export.compute import Compute

_USABLE: Final = 0.90
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NAMES: Final = ("original from scratch", "light from scratch", "light from the bundled encoder")


@click.command()
@click.option("--a", type=_FOLDER, help="Aligned faces of A; without --a and --b, speed only.")
@click.option("--b", type=_FOLDER, help="Aligned faces of B.")
@click.option("--work", type=click.Path(path_type=Path), help="Keeps the trainings; resumable.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Of `light` from the bundled encoder, at most: it ends when it is usable.",
)
@click.option(
    "--original-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Of `original`; `light` from scratch then sees as many images.",
)
@click.option("--device", default="cpu", show_default=True, help="Of the trainings.")
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=30, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw curves to this PNG.")
def train(  # noqa: PLR0913  # one argument an option
    *,
    a: Path | None,
    b: Path | None,
    work: Path | None,
    minutes: float,
    original_minutes: float,
    device: str,
    threads: int,
    rounds: int,
    file: Path | None,
    picture: Path | None,
) -> None:
    """Networks: size, latency and bound; trainings: equal images, and a new pair."""
    if len({a is None, b is None, work is None}) > 1:
        raise click.UsageError("give --a, --b and --work together, or none of them")
    if picture is not None and work is None:
        raise click.UsageError("--plot needs --a, --b and --work")
    from importlib.metadata import version

    import cv2
    import torch

    from benchmarks.train_speed import measure_networks
    from export.compute import Compute

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    compute = Compute(device=device, threads=threads if device == "cpu" else 1)
    try:
        compute.torch_device()
    except TrainingError as error:
        raise click.UsageError(str(error)) from error
    result: dict[str, Any] = {
        "question": "size, speed and training of the networks on a CPU",
        "machine": {**describe(), "torch": version("torch")},
        "networks": measure_networks(rounds),
    }
    if a is not None and b is not None and work is not None:
        try:
            result["training"] = _trainings(
                a, b, work, compute, minutes=minutes, original_minutes=original_minutes
            )
        except EngineError as error:
            raise click.ClickException(str(error)) from error
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if picture is not None:
        plot(result["training"]["curves"], _USABLE, picture)
    click.echo(json.dumps(result))


def _trainings(  # noqa: PLR0913  # two folders, where to keep it, and three budgets
    a: Path, b: Path, work: Path, compute: Compute, *, minutes: float, original_minutes: float
) -> dict[str, Any]:
    from dataclasses import replace

    from benchmarks import train_runs
    from export.face_folders import FaceFolders
    from export.losses import LossWeights
    from export.model import LIGHT, ORIGINAL, Plan
    from export.pretrained import read_pretrained
    from export.schedule import CLASSIC_2017, Rhythm, Schedule
    from export.train import Trainer

    common = train_runs.common_faces(a, b)
    rhythm = Rhythm(checkpoint_s=60, validation_s=float("inf"), preview=False, validation_count=2)
    batches = {ORIGINAL.name: 64, LIGHT.name: 32}

    # Each network trains as `python -m export train` does it by default.
    def trained(name: str, plan: Plan, schedule: Schedule, pretrained: str | None) -> list[Point]:
        click.echo(f"{name} ...", err=True)
        trainer = Trainer(
            plan,
            work / name.replace(" ", "-"),
            mode="classic",
            schedule=schedule,
            rhythm=rhythm,
            weights=None if plan == ORIGINAL else LossWeights(skin=0.5),
            compute=compute,
        )
        if pretrained is not None:
            trainer.start_from(read_pretrained(pretrained))
        source = FaceFolders(a, b, plan, batches[plan.name], 0)
        until = _USABLE if pretrained else None
        return train_runs.run(trainer, source, common, until)

    first, second, third = _NAMES
    curves = {
        first: trained(first, ORIGINAL, replace(CLASSIC_2017, minutes=original_minutes), None)
    }
    steps = train_runs.steps_for(curves[first][-1].images, batches[LIGHT.name])
    curves[second] = trained(second, LIGHT, Schedule(steps=steps), None)
    curves[third] = trained(third, LIGHT, Schedule(minutes=minutes), "maro")
    return {
        "minutes": minutes,
        "original_minutes": original_minutes,
        "device": compute.device,
        "threads": compute.threads,
        "batch_a_side": batches,
        "held_out_faces": sum(len(batch.face) for batch in common),
        **_verdicts(*curves.values()),
        "curves": {name: [asdict(point) for point in points] for name, points in curves.items()},
    }


def _verdicts(
    original: list[Point], light: list[Point], tuned: list[Point]
) -> dict[str, dict[str, Any]]:
    """What the curves say."""
    from benchmarks.train_runs import at_images, first_above, images_to

    images = min(original[-1].images, light[-1].images)
    (l1, ssim), (reference_l1, reference_ssim) = (
        at_images(curve, images) for curve in (light, original)
    )
    usable = first_above(tuned, _USABLE)
    best = max(tuned, key=lambda point: point.full_ssim)
    goal = original[-1]
    needed = images_to(tuned, goal.l1)
    return {
        "equal_images": {
            "images": images,
            "original": {"l1": round(reference_l1, 5), "ssim": round(reference_ssim, 5)},
            "light": {"l1": round(l1, 5), "ssim": round(ssim, 5)},
            "l1_light_over_original": round(l1 / reference_l1, 3),
            "ssim_light_minus_original": round(ssim - reference_ssim, 4),
        },
        "new_pair": {
            "usable": f"SSIM >= {_USABLE} of decoder B at the model's size",
            "reached": usable is not None,
            "best_ssim": best.full_ssim,
            "seconds": (usable or best).seconds,
            "images": (usable or best).images,
        },
        "against_original": {
            "l1": goal.l1,
            "images_of_original": goal.images,
            "images_from_bundled": needed,
            "times_fewer_images": round(goal.images / max(needed, 1), 1) if needed else None,
        },
    }
