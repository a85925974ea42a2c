"""A clip through the engine, and what is measured on each of its faces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import seam, texture
from benchmarks.quality.scene import Engine, Scene
from engine.face import Image, Mask
from engine.paste import Patch
from stream.config import Config
from stream.frame import Frame
from stream.sources import open_source

BURST = 8
"""Frames taken in a row: smoothing in time needs neighbors."""

_AROUND_PX = 40
"""How much of the frame around a face is looked at."""

_RING_PX = (4.0, 16.0)
"""The ring outside of the seam whose sharpness and grain a face should have."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceView:
    """One face in one frame, and what was measured on it; pictures are copies of its region.

    Attributes:
        seconds: the frame's time in the clip.
        track: the face's.
        before, after: (h, w, 3) uint8 BGR.
        alpha: (h, w) float32.
        size_px: square root of the area that the mask covers by half or more.
        steepness: of the seam, after and before.
        stations: along the seam.
        steps: CIEDE2000 across the seam at the stations, after.
        steps_before: the same of the original frame.
        sharpness: inside over outside, after and before.
        noise: inside over outside, after and before.
        offset: (3,) mean of after - before over the face, in gray levels, BGR.
    """

    seconds: float
    track: int
    before: Image
    after: Image
    alpha: Mask
    size_px: float
    steepness: tuple[float, float]
    stations: seam.Stations
    steps: NDArray[np.float64]
    steps_before: NDArray[np.float64]
    sharpness: tuple[float, float]
    noise: tuple[float, float]
    offset: NDArray[np.float64]

    @property
    def added(self) -> NDArray[np.float64]:
        """(N,) how much more the seam's sides differ than in the original, in CIEDE2000."""
        return self.steps - self.steps_before

    @classmethod
    def of(cls, scene: Scene, track: int, patch: Patch, seconds: float) -> FaceView:
        """Measure one face of a scene."""
        region = _around(patch, scene.before.shape)
        # Where two faces overlap, the seam in the picture is that of both together.
        alpha = scene.alpha()[region]
        own = scene.alpha(patch)[region]
        before, after = scene.before[region].copy(), scene.after[region].copy()
        distance = seam.signed_distance(alpha)
        stations = seam.Stations.along(alpha, distance)
        inside = (distance >= seam.RING_PX) & (own >= 0.5)
        outside = (distance <= -_RING_PX[0]) & (distance >= -_RING_PX[1])
        weight = np.float64(own) / max(float(own.sum()), 1e-6)
        difference = after.astype(np.float64) - before
        return cls(
            seconds,
            track,
            before,
            after,
            alpha,
            size_px=math.sqrt(np.count_nonzero(own >= 0.5)),
            steepness=(seam.steepness(after, distance), seam.steepness(before, distance)),
            stations=stations,
            steps=seam.color_steps(after, stations),
            steps_before=seam.color_steps(before, stations),
            sharpness=(
                _share(texture.sharpness(after, inside), texture.sharpness(after, outside)),
                _share(texture.sharpness(before, inside), texture.sharpness(before, outside)),
            ),
            noise=(
                _share(texture.noise(after, inside), texture.noise(after, outside)),
                _share(texture.noise(before, inside), texture.noise(before, outside)),
            ),
            offset=np.einsum("ij,ijk->k", weight, difference),
        )


def _share(inside: float, outside: float) -> float:
    return (inside + 0.1) / (outside + 0.1)


def _around(patch: Patch, shape: tuple[int, ...]) -> tuple[slice, slice]:
    height, width = patch.alpha.shape
    return (
        slice(max(patch.top - _AROUND_PX, 0), min(patch.top + height + _AROUND_PX, shape[0])),
        slice(max(patch.left - _AROUND_PX, 0), min(patch.left + width + _AROUND_PX, shape[1])),
    )


@dataclass(slots=True)
class ClipRun:
    """What came out of a clip.

    Attributes:
        name: file name without suffix; nothing else of the path.
        width, height: of the first frame.
        frames: that were looked at.
        swapped_frames: those with at least one new face.
        found_frames: those with at least one face.
        changed_outside: pixels that changed although no mask covers them.
        offset_jumps: (3,) change of `FaceView.offset` from one frame to the next.
        views: one for each face that was replaced.
        blend_s: processor time of the blend stage, frames with a face.
        still: a frame with a face, untouched, for the trials on standing pictures.
    """

    name: str
    width: int = 0
    height: int = 0
    frames: int = 0
    swapped_frames: int = 0
    found_frames: int = 0
    changed_outside: int = 0
    offset_jumps: list[NDArray[np.float64]] = field(default_factory=list)
    views: list[FaceView] = field(default_factory=list)
    blend_s: list[float] = field(default_factory=list)
    still: Image | None = None

    def add(self, scene: Scene, seconds: float) -> None:
        """Measure one scene."""
        self.height, self.width = scene.before.shape[:2]
        self.frames += 1
        self.found_frames += bool(scene.faces)
        self.swapped_frames += bool(scene.patches)
        if scene.patches:
            self.blend_s.append(scene.blend_s)
        elsewhere = scene.alpha() == 0.0
        changed = (scene.before != scene.after).any(axis=2)
        self.changed_outside += int(np.count_nonzero(changed & elsewhere))
        for track, patch in scene.patches.items():
            self.views.append(FaceView.of(scene, track, patch, seconds))


def play(run: ClipRun, engine: Engine, config: Config, frames: int) -> None:
    """Run bursts of frames, spread evenly over a clip, through the engine.

    Every burst begins anew, as a clip or a shot does.

    Args:
        run: filled in.
        engine: with the settings to be judged.
        config: its source and input are used.
        frames: how many to look at, at most.

    Raises:
        StreamError: the clip cannot be read.
    """
    previous: dict[int, FaceView] = {}
    middle = frames // 2
    for number, (frame, begins) in enumerate(_bursts(config, frames)):
        if begins:
            engine.restart()
            previous.clear()
        detected = engine.detect(frame.image, frame.pts_ns)
        if detected.faces and (run.still is None or number <= middle):
            run.still = frame.image
        seen = len(run.views)
        run.add(engine.finish(detected), frame.pts_ns / 1e9)
        current = {view.track: view for view in run.views[seen:]}
        run.offset_jumps += [
            view.offset - previous[track].offset
            for track, view in current.items()
            if track in previous
        ]
        previous = current


def _bursts(config: Config, frames: int) -> Iterator[tuple[Frame, bool]]:
    """Chosen frames, and whether each is the first of its burst."""
    settings = replace(config.input, audio=False, threads=1, paced=False)
    with open_source(config.source, settings) as source:
        total = source.info.frames
        wanted = chosen(total, frames) if total else range(frames)
        before = -2
        for frame in source:
            if frame.seq in wanted:
                yield frame, frame.seq != before + 1
                before = frame.seq


def chosen(total: int, frames: int) -> set[int]:
    """Which of `total` frames to take: bursts of `BURST`, spread from the first to the last."""
    if total <= frames:
        return set(range(total))
    bursts = max(frames // BURST, 1)
    length = min(BURST, frames)
    starts = np.rint(np.linspace(0, total - length, bursts)).astype(int) if bursts > 1 else [0]
    return {int(start) + k for start in starts for k in range(length)}
