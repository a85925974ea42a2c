"""Ways of moving frames that others use, around the very same engine as ours.

Each of them works with facestream's detection, swap and blending, so that only the way the
frames move differs.
"""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import assets, blend
from engine.blend import Blender, BlendSettings
from engine.face import Face, Image
from engine.swap import Swapper
from engine.track import FaceTracker, TrackSettings
from stream.sources import SourceSettings, open_source

_SPAWN = multiprocessing.get_context("spawn")
_WAITING = 2  # frames between two processes
_WORKERS = 4

Item = tuple[int, Image, tuple[Face, ...]]
"""Number of the frame, picture, faces."""


def pictures(clip: str, count: int) -> Iterator[Image]:
    """The clip's pictures, over and over until there are enough."""
    left = count
    while left > 0:
        with open_source(clip, SourceSettings(threads=1)) as source:
            for frame in source:
                yield frame.image
                left -= 1
                if left == 0:
                    return


def _tracker() -> FaceTracker:
    return FaceTracker(assets.landmark_model(None), TrackSettings())


def _blender() -> Blender:
    blend.warm_up(BlendSettings())
    return Blender(BlendSettings())


class _TimedSwapper(Swapper):
    """Knows how much of its time is the network's."""

    network_s = 0.0

    def _run(self, faces: NDArray[np.float32]) -> list[NDArray[np.floating]]:
        began_s = time.perf_counter()
        results = super()._run(faces)
        self.network_s += time.perf_counter() - began_s
        return results


def serial(clip: str, model: Path, count: int, threads: int) -> dict[str, Any]:
    """One thread does everything, one frame after the other.

    Returns:
        Frames per second, and the mean milliseconds of each step; swap is without the network.
    """
    cv2.setNumThreads(threads)
    swapper, blender = _TimedSwapper(model, "cpu", threads), _blender()
    swapper.network_s = 0.0  # It has warmed up.
    spent_s = dict.fromkeys(("decode", "detect", "swap", "blend"), 0.0)
    with _tracker() as tracker:
        source = iter(pictures(clip, count))
        began_s = now_s = time.perf_counter()
        for number in range(count):
            image = next(source)
            now_s = _spend(spent_s, "decode", now_s)
            faces = tracker.update(image, number * 33_000_000)
            now_s = _spend(spent_s, "detect", now_s)
            faces = swapper(image, faces)
            now_s = _spend(spent_s, "swap", now_s)
            blender(image, faces)
            now_s = _spend(spent_s, "blend", now_s)
    spent_s["network"] = swapper.network_s
    spent_s["swap"] -= swapper.network_s
    steps_ms = {step: total / count * 1000 for step, total in spent_s.items()}
    return {"fps": count / (now_s - began_s), "steps_ms": steps_ms}


def _spend(spent_s: dict[str, float], step: str, since_s: float) -> float:
    now_s = time.perf_counter()
    spent_s[step] += now_s - since_s
    return now_s


def processes(clip: str, model: Path, count: int, threads: int) -> dict[str, float]:
    """A process for each stage; frames are pickled from one to the next."""
    queues = [_SPAWN.Queue(_WAITING) for _ in range(4)]
    ready = _SPAWN.Barrier(5)
    stages: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
        (_decode, (clip, count)),
        (_detect, (queues[0],)),
        (_swap, (model, threads, queues[1])),
        (_blend, (queues[2],)),
    ]
    workers = [
        _SPAWN.Process(target=stage, args=(*arguments, outlet, ready), daemon=True)
        for (stage, arguments), outlet in zip(stages, queues, strict=True)
    ]
    for worker in workers:
        worker.start()
    ready.wait(120)
    began_s = time.perf_counter()
    for _ in range(count):
        queues[-1].get(timeout=60)
    fps = count / (time.perf_counter() - began_s)
    for worker in workers:
        worker.join()
    return {"fps": fps}


def _decode(clip: str, count: int, outlet: Any, ready: Any) -> None:
    ready.wait(120)
    for number, image in enumerate(pictures(clip, count)):
        outlet.put((number, image, ()))
    outlet.put(None)


def _detect(inlet: Any, outlet: Any, ready: Any) -> None:
    cv2.setNumThreads(1)
    with _tracker() as tracker:
        ready.wait(120)
        while (item := inlet.get()) is not None:
            number, image, _ = item
            outlet.put((number, image, tracker.update(image, number * 33_000_000)))
    outlet.put(None)


def _swap(model: Path, threads: int, inlet: Any, outlet: Any, ready: Any) -> None:
    swapper = Swapper(model, "cpu", threads)
    ready.wait(120)
    while (item := inlet.get()) is not None:
        number, image, faces = item
        outlet.put((number, image, swapper(image, faces)))
    outlet.put(None)


def _blend(inlet: Any, outlet: Any, ready: Any) -> None:
    blender = _blender()
    ready.wait(120)
    while (item := inlet.get()) is not None:
        number, image, faces = item
        blender(image, faces)
        outlet.put((number, image, ()))


def futures(clip: str, model: Path, seconds: float, rate: float, threads: int) -> dict[str, Any]:
    """Every captured frame is handed to a pool at once, and shown when it happens to be done.

    Returns:
        Ages in milliseconds of what was shown, in the order of showing, with the second of its
        capture; how often an older picture came after a newer one; the frames still waiting
        at the end.
    """
    cv2.setNumThreads(1)
    swapper = Swapper(model, "cpu", threads)
    in_swap = threading.Lock()  # One session serves all.
    local = threading.local()
    trackers: list[FaceTracker] = []
    shown: list[tuple[int, float, float]] = []

    def work(number: int, image: Image) -> None:
        faces = local.tracker.update(image, number * 33_000_000)
        with in_swap:
            faces = swapper(image, faces)
        local.blender(image, faces)

    def prepare() -> None:
        local.tracker, local.blender = _tracker(), _blender()
        trackers.append(local.tracker)

    waiting: list[tuple[int, float, Future[None]]] = []
    with ThreadPoolExecutor(_WORKERS, initializer=prepare) as pool:
        for started in [pool.submit(time.sleep, 1.0) for _ in range(_WORKERS)]:
            started.result()  # Every worker has its models before the clock starts.
        count = int(seconds * rate)
        began_s = time.monotonic()
        for number, image in enumerate(pictures(clip, count)):
            time.sleep(max(began_s + number / rate - time.monotonic(), 0))
            captured_s = time.monotonic()
            waiting.append((number, captured_s, pool.submit(work, number, image)))
            waiting = _show_done(waiting, shown)
        backlog = len(waiting)
        while waiting:
            time.sleep(0.002)
            waiting = _show_done(waiting, shown)
    for tracker in trackers:
        tracker.close()
    return {
        "ages": [(captured_s - began_s, age_ms) for _, captured_s, age_ms in shown],
        "inversions": inversions(number for number, _, _ in shown),
        "backlog": backlog,
        "captured": count,
    }


def inversions(numbers: Iterable[int]) -> int:
    """How often a number is followed by a smaller one."""
    return sum(later < earlier for earlier, later in itertools.pairwise(numbers))


def _show_done(
    waiting: list[tuple[int, float, Future[None]]], shown: list[tuple[int, float, float]]
) -> list[tuple[int, float, Future[None]]]:
    still = []
    for number, captured_s, future in waiting:
        if future.done():
            future.result()
            shown.append((number, captured_s, (time.monotonic() - captured_s) * 1000))
        else:
            still.append((number, captured_s, future))
    return still
