"""What is left of a recording when the program is killed while it records?

The program itself, live on the looped demo, records and shows the panel, which tells how many
pictures the file has been given. At a random moment the whole program gets `kill -9`.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import av
import click
import numpy as np

from benchmarks.machine import describe
from benchmarks.soak import program, run_status, wait_until_running

MOST_LOST_S: Final = 2.0
"""Half a second of a fragment, what the encoder has in hand, and what is decoded of neither."""

_LATEST_S: Final = 8.0
_EARLIEST_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One recording that was ended by force.

    Attributes:
        file: name of its file.
        moment_s: after its first picture.
        given: pictures that had been given to the file shortly before.
        playable: pictures that can be decoded from it.
        lost_s: from the last of these to the last that was given, at the rate so far.
    """

    file: str
    moment_s: float
    given: int
    playable: int
    lost_s: float


def killed(folder: Path, file: str, moment_s: float, preset: str = "fast") -> Kill:
    """Record, and kill the program.

    Args:
        folder: for the file.
        file: its name.
        moment_s: when, after the first picture was given to the file.
        preset: of the run.
    """
    path = folder / file
    options = ["--loop", "--live", "--preset", preset, "--out", str(path), "--out", "web"]
    with program("demo", options, folder / "report.json") as (process, address):
        wait_until_running(process, address)
        name, began_s = str(path), time.monotonic()
        while not run_status(address)["sinks"][name]["sent"]:
            began_s = time.monotonic()
            time.sleep(0.02)
        time.sleep(max(0.0, moment_s - (time.monotonic() - began_s)))
        given, at_s = int(run_status(address)["sinks"][name]["sent"]), time.monotonic() - began_s
        process.kill()
        process.wait()
    playable = pictures(path)
    lost = max(given - playable, 0)
    return Kill(file, round(at_s, 3), given, playable, round(lost * at_s / max(given, 1), 3))


def pictures(path: Path) -> int:
    """How many can be decoded, as a player does: what is cut off at the end is left out."""
    count = 0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                with suppress(av.error.InvalidDataError):
                    count += len(packet.decode())
    except (av.error.FFmpegError, IndexError):
        pass
    return count


@click.command()
@click.option("--times", type=click.IntRange(1), default=50, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the moments.")
@click.option("--check", is_flag=True, help="Exit code 1 if a file is not as promised.")
@click.option("--json", "output", type=click.Path(path_type=Path), help="Also write it here.")
def kill(times: int, seed: int, *, check: bool, output: Path | None) -> None:
    """Recordings of a program that is killed at random moments."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    kills = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            suffix = ("mp4", "mkv", "mov")[number % 3]
            moment_s = chance.uniform(_EARLIEST_S, _LATEST_S)
            done = killed(Path(folder), f"{number}.{suffix}", moment_s)
            click.echo(str(done), err=True)
            kills.append(done)
    lost = np.array([each.lost_s for each in kills])
    result = {
        "question": "what is left of a recording when the program is killed while it records?",
        "machine": describe(),
        "kills": len(kills),
        "playable": sum(each.playable > 0 for each in kills),
        "lost_s": {"median": float(np.median(lost)), "most": float(lost.max())},
        "limit_s": MOST_LOST_S,
        "beyond_limit": int(np.count_nonzero(lost > MOST_LOST_S)),
        "each": [asdict(each) for each in kills],
    }
    if output is not None:
        output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps({name: value for name, value in result.items() if name != "each"}))
    if check and (result["playable"] != len(kills) or result["beyond_limit"]):
        raise SystemExit(1)
