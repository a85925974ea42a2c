"""One picture with its faces, before and after, as the pipeline's stages make it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import assets, models
from engine.blend import Blender, BlendSettings
from engine.face import Face, Image, Mask
from engine.paste import Patch
from engine.swap import Swapper
from engine.track import FaceTracker
from stream.config import Config
from stream.frame import Frame

FRAME_NS = 40_000_000
"""Time between two pictures that have none of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the stages made of one picture.

    Attributes:
        before, after: (H, W, 3) uint8 BGR.
        faces: that were found.
        patches: what was put into the picture, by the face's track.
        blend_s: processor time of the blend stage.
    """

    before: Image
    after: Image
    faces: tuple[Face, ...]
    patches: dict[int, Patch]
    blend_s: float

    def alpha(self, patch: Patch | None = None) -> Mask:
        """(H, W) float32, how much of each pixel a patch has replaced; None is all together."""
        whole = np.zeros(self.before.shape[:2], np.float32)
        for one in self.patches.values() if patch is None else (patch,):
            height, width = one.alpha.shape
            place = whole[one.top : one.top + height, one.left : one.left + width]
            np.maximum(place, one.alpha, out=place)
        return whole


class Engine:
    """The three stages of a run, on one thread, begun anew when asked.

    Attributes:
        swapper: may be replaced by one with another model.
    """

    def __init__(self, tracker: FaceTracker, swapper: Swapper, settings: BlendSettings) -> None:
        self._tracker = tracker
        self.swapper = swapper
        self._settings = settings
        self.restart()

    def restart(self) -> None:
        """Forget every face, its colors and its place."""
        self._blender = Blender(self._settings)
        # A change of size counts as a cut, now and at the next picture.
        self._tracker.update(np.zeros((16, 17, 3), np.uint8), 0)

    def detect(self, image: Image, pts_ns: int) -> Frame:
        """Run the first stage; the frame owns a copy of the picture."""
        faces = self._tracker.update(image, pts_ns)
        return Frame(image.copy(), pts_ns, seq=0, captured_ns=0, faces=faces)

    def finish(self, frame: Frame) -> Scene:
        """Run the other two stages; `frame.image` becomes the scene's `after`."""
        before = frame.image.copy()
        faces = self.swapper(frame.image, frame.faces)
        began_s = time.thread_time()
        self._blender(frame.image, faces)
        blend_s = time.thread_time() - began_s
        return Scene(before, frame.image, faces, dict(self._blender.patches), blend_s)


@contextmanager
def open_engine(config: Config, model: Path | None = None) -> Iterator[Engine]:
    """The stages that `stream.run.Run` would make of these settings, on one thread.

    Args:
        config: its track, blend, model, device and landmark_model are used.
        model: an ONNX file instead of the configured one.

    Raises:
        EngineError: a model or a library is missing.
    """
    path = config.landmark_model
    swapper = Swapper(model or models.model_path(config.model), config.device, threads=1)
    with FaceTracker(assets.landmark_model(Path(path) if path else None), config.track) as tracker:
        yield Engine(tracker, swapper, config.blend)
