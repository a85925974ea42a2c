"""How fast is the same work when it is done as others do it?

The same clip, the same machine, the same network of 2017 with random weights in ONNX Runtime on
every side, in one run; each side in a process of its own. All sides but ours are re-creations
from documented behavior, not the projects themselves; what they run on is as new as ours. Nobody
writes a file.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from benchmarks import marked_part
from benchmarks.latency.seen import spread
from benchmarks.machine import describe
from benchmarks.peers import loops, ours, skin_rule
from benchmarks.peers.classic import Classic
from benchmarks.peers.network import network_case, network_ms, write_networks
from benchmarks.peers.page import draw, markdown
from stream.processors import available_threads
from stream.run import BATCH_FRAMES

_SPAWN = multiprocessing.get_context("spawn")
_CLIP_RATE = 25.0
_LIVE_RATE = 30.0
_PARTS = ("files", "live", "skin")
AS_SHIPPED_GOAL, FACES_KNOWN_GOAL = 10.0, 3.0


@click.command()
@click.argument("clip", default="demo")
@click.option("--frames", default=200, show_default=True, help="Of each side.")
@click.option("--live-seconds", default=8.0, show_default=True, help="Of the two live streams.")
@click.option(
    "--networks",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the networks in this folder; making them takes a minute.",
)
@click.option("--only", multiple=True, type=click.Choice(_PARTS), help="Not all of it.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Update this result.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the comparison here.")
@click.option("--readme", type=click.Path(exists=True, path_type=Path), help="Update this file.")
def peers(  # noqa: PLR0913, PLR0917 - one parameter for each option
    clip: str,
    frames: int,
    live_seconds: float,
    networks: Path | None,
    only: tuple[str, ...],
    file: Path | None,
    plot: Path | None,
    readme: Path | None,
) -> None:
    """Our pipeline against re-creations of how others do the same work."""
    parts = only or _PARTS
    result: dict[str, Any] = _before(file) | {
        "question": "the same work done as others do it; all but ours are re-creations",
        "machine": describe(),
        "clip": clip,
    }
    with tempfile.TemporaryDirectory() as folder:
        models = _apart(write_networks, networks or Path(folder))
        if "files" in parts:
            result |= _files(clip, frames, models)
        if "live" in parts:
            result["live"] = _live(clip, live_seconds, models["fp32"])
    if "skin" in parts:
        result["skin_rule"] = _apart(_skin_rule, clip)
    if "ours" in result:
        result["ratios"] = ratios(result)
        result["non_network_ms"] = non_network(result)
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if {"ours", "live"} <= result.keys():
        _show(result, plot, readme)
    elif plot or readme:
        raise click.UsageError("--plot and --readme need what --only left out: files and live")
    click.echo(json.dumps(result))


def _before(file: Path | None) -> dict[str, Any]:
    if file is None or not file.exists():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _show(result: dict[str, Any], plot: Path | None, readme: Path | None) -> None:
    text = markdown(result)
    click.echo(text, err=True)
    if plot is not None:
        draw(result, plot)
    if readme is not None:
        marked_part.write(readme, "peers", text)


def _files(clip: str, frames: int, models: dict[str, Path]) -> dict[str, Any]:
    threads, model = available_threads(), models["fp32"]
    lasts_s = frames / _CLIP_RATE
    return {
        "frames": frames,
        "network_ms": {
            name: {
                network_case(count, faces): _apart(network_ms, path, count, faces)
                for count in sorted({1, threads})
                for faces in (1, BATCH_FRAMES)
            }
            for name, path in models.items()
        },
        "classic": {
            "as_shipped": _apart(_classic, clip, model, max(frames // 4, 5), threads, "find"),
            "faces_known": _apart(_classic, clip, model, frames, threads, "known"),
            "faces_known_seamless": _apart(_classic, clip, model, frames, threads, "seamless"),
        },
        "serial": _apart(loops.serial, clip, model, frames, threads),
        "processes": _apart(loops.processes, clip, model, frames, threads),
        "ours": _apart(ours.file_to_null, clip, model, lasts_s),
        # A network that outweighs all else deserves all processors.
        "ours_wide": _apart(ours.file_to_null, clip, model, lasts_s, 2 * threads),
        "ours_8_bit": _apart(ours.file_to_null, clip, models["int8"], lasts_s),
    }


def _live(clip: str, seconds: float, model: Path) -> dict[str, Any]:
    fed = (clip, model, seconds, _LIVE_RATE)
    return {
        "futures": _ages(_apart(loops.futures, *fed, available_threads())),
        "ours": _ages(_apart(ours.live, *fed)),
    }


def _apart(function: Any, *arguments: Any) -> Any:
    """A fresh interpreter for each side: no warm caches from the one before."""
    began_s = time.monotonic()
    # Not a pool: its processes are daemons, and may have no children of their own.
    answers = _SPAWN.Queue()
    process = _SPAWN.Process(target=_answer, args=(answers, function, arguments))
    process.start()
    answer = answers.get()
    process.join()
    if isinstance(answer, BaseException):
        raise answer
    click.echo(f"{function.__name__}: {time.monotonic() - began_s:.0f} s", err=True)
    return answer


def _answer(answers: Any, function: Any, arguments: tuple[Any, ...]) -> None:
    try:
        answers.put(function(*arguments))
    except Exception as error:  # noqa: BLE001 - raised by the parent
        answers.put(error)


def _classic(clip: str, model: Path, count: int, threads: int, way: str) -> dict[str, Any]:
    cv2.setNumThreads(threads)
    converter = Classic(model, threads, seamless=way == "seamless")
    images = list(loops.pictures(clip, count))
    known = None if way == "find" else converter.find(images[0])
    converter.convert(images[0], converter.find(images[0]) if known is None else known)
    converter.steps_ms.clear()
    began_s = time.perf_counter()
    for image in loops.pictures(clip, count):
        converter.convert(image, converter.find(image) if known is None else known)
    fps = count / (time.perf_counter() - began_s)
    steps_ms = {step: float(np.median(times)) for step, times in converter.steps_ms.items()}
    return {"fps": fps, "steps_ms": steps_ms, "frames": count}


def _skin_rule(clip: str) -> Any:
    cv2.setNumThreads(1)
    return skin_rule.compare(next(loops.pictures(clip, 1)))


def _ages(measured: dict[str, Any]) -> dict[str, Any]:
    """What of a live stream goes into the result: its ages second by second."""
    ages = measured.pop("ages")
    by_second = itertools.groupby(ages, key=lambda entry: int(entry[0]))
    return measured | {
        "age_ms": spread([age_ms for _, age_ms in ages]),
        "age_ms_by_second": [
            (second, float(np.median([age_ms for _, age_ms in group])))
            for second, group in by_second
        ],
    }


def ratios(result: dict[str, Any]) -> dict[str, Any]:
    """How many times more frames a second ours delivers, and whether that is what it should."""
    fps = max(result["ours"]["fps"], result["ours_wide"]["fps"])
    classic = result["classic"]
    found = {
        "classic_as_shipped": fps / classic["as_shipped"]["fps"],
        "classic_faces_known": fps / classic["faces_known"]["fps"],
        "classic_faces_known_seamless": fps / classic["faces_known_seamless"]["fps"],
        "serial": fps / result["serial"]["fps"],
        "processes": fps / result["processes"]["fps"],
        "classic_faces_known_ours_8_bit": result["ours_8_bit"]["fps"]
        / classic["faces_known"]["fps"],
    }
    # The network takes all processors for so long: nobody can be faster with it.
    bound_fps = 1000 / min(result["network_ms"]["fp32"].values())
    return found | {
        "most_that_the_network_allows": bound_fps / classic["faces_known"]["fps"],
        "goals": {
            "classic_as_shipped": {
                "at_least": AS_SHIPPED_GOAL,
                "met": found["classic_as_shipped"] >= AS_SHIPPED_GOAL,
            },
            "classic_faces_known": {
                "at_least": FACES_KNOWN_GOAL,
                "met": found["classic_faces_known"] >= FACES_KNOWN_GOAL,
            },
        },
    }


def non_network(result: dict[str, Any]) -> dict[str, float]:
    """Milliseconds a frame that are neither swap network nor finding faces."""
    cost = {
        name: sum(
            step_ms
            for step, step_ms in side["steps_ms"].items()
            if step not in {"detect", "landmarks", "network"}
        )
        for name, side in result["classic"].items()
    }
    ours_ms = result["serial"]["steps_ms"]["swap"] + result["serial"]["steps_ms"]["blend"]
    return {f"classic_{name}": value for name, value in cost.items()} | {"ours": ours_ms}
