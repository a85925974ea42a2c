"""Render many training pairs into shards."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path

import cv2

from export.persona.pairmaker import PairMaker
from export.persona.photos import free_photos
from export.persona.rig import Rig
from export.persona.writer import Writer


def make_pairs(  # noqa: PLR0913  # one for each option of the command line
    assets: Path, manifest: Path, out: Path, *, jobs: int, part: int, parts: int, seed: int
) -> None:
    """Run this process's share of the jobs; goes on where an earlier run stopped.

    Ctrl-C finishes the job at hand, writes what there is and returns.

    Args:
        assets: folder of assets.
        manifest: list of portraits, see `free_photos`.
        out: folder for shards.
        jobs: of all processes together; a job gives up to two pairs.
        part: number of this process, counted from 0.
        parts: how many processes share the jobs.
        seed: of everything random.
    """
    if parts > 1:  # the processes share the cores among themselves
        cv2.setNumThreads(1)
    stop: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: stop.append(number))
    writer = Writer(out, part, parts)
    begin, before = time.monotonic(), writer.pairs
    with closing(PairMaker(Rig(assets), free_photos(manifest), seed)) as maker:
        for job in range(writer.next_job, jobs):
            if job % parts != part:
                continue
            if stop:
                break
            for pair in maker.run(job):
                writer.add(pair)
            had = writer.pairs
            writer.finish_job(job)
            if writer.pairs > had:
                rate = (writer.pairs - before) / (time.monotonic() - begin)
                print(f"part {part}: job {job}, {writer.pairs} pairs, {rate:.2f}/s", flush=True)
    writer.flush()
