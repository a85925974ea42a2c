"""The per-frame engine as pipeline stages.

What a stage works with can be exchanged by other threads while frames flow: it takes effect with
the next frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.blend import Blender
from engine.cover import cover_face
from engine.swap import Swapper
from engine.track import FaceTracker
from stream.frame import Frame
from stream.marking.watermark import Watermark


class Detect:
    """Find and follow faces; owns its tracker."""

    def __init__(self, open_tracker: Callable[[int], FaceTracker], faces: int, aside: int) -> None:
        """Open the first tracker; `close` closes the last.

        Args:
            open_tracker: called with how many faces to follow.
            faces: how many of them are to be swapped: those that are followed longest.
            aside: how many more to look for, as bystanders.
        """
        self._open_tracker = open_tracker
        self._faces = faces
        self._aside = aside
        self._tracker = open_tracker(faces + aside)
        self._next: tuple[FaceTracker, int] | None = None
        self._exchanging = threading.Lock()
        self._in_use: set[FaceTracker] = set()

    def __call__(self, frame: Frame) -> Frame:
        """The frame with its faces."""
        if self._next is not None:
            self._take_next()
        tracker = self._tracker
        self._in_use.add(tracker)
        try:
            faces = tracker.update(frame.image, frame.pts_ns)
        finally:
            self._in_use.discard(tracker)
            if tracker is not self._tracker:
                tracker.close()  # This call hung, and another thread went on without it.
        if len(faces) > self._faces:
            others = (replace(face, bystander=True) for face in faces[self._faces :])
            faces = (*faces[: self._faces], *others)
        return replace(frame, faces=faces)

    def follow(self, faces: int) -> None:
        """Swap another number of faces from the next frame on; any thread may say so."""
        self._exchange(self._open_tracker(faces + self._aside), faces)

    def restart(self) -> None:
        """Begin anew with another tracker."""
        self._exchange(self._open_tracker(self._faces + self._aside), self._faces)

    def _exchange(self, tracker: FaceTracker, faces: int) -> None:
        with self._exchanging:
            unused, self._next = self._next, (tracker, faces)
        if unused is not None:
            unused[0].close()

    def close(self) -> None:
        """Close the tracker; no thread may be using it any more."""
        self._take_next()
        if self._tracker not in self._in_use:
            self._tracker.close()

    def _take_next(self) -> None:
        with self._exchanging:
            following, self._next = self._next, None
        if following is not None:
            before = self._tracker
            self._tracker, self._faces = following
            if before not in self._in_use:
                before.close()


class Swap:
    """Run the model on the faces that are to be swapped.

    Attributes:
        swapper: what does it.
        frames_at_once: see `stream.worker.Batching`; 1 until another number is set.
    """

    def __init__(self, load: Callable[[str], Swapper], model: str) -> None:
        """Load the first model.

        Args:
            load: called with a name or path; raises ModelError.
            model: its name or path.
        """
        self._load = load
        self._model = model
        self.swapper = load(model)
        self.frames_at_once = 1

    def __call__(self, frame: Frame) -> Frame:
        """The frame with its faces' swaps."""
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames with their faces' swaps; all faces go through the model at once."""
        chosen = [
            (frame.image, tuple(face for face in frame.faces if not face.bystander))
            for frame in frames
        ]
        return [
            replace(frame, faces=(*faces, *frame.faces[len(faces) :])) if faces else frame
            for frame, faces in zip(frames, self.swapper.many(chosen), strict=True)
        ]

    def use(self, model: str) -> None:
        """Load another model and use it from the next frame on; any thread may say so.

        Raises:
            ModelError: it cannot be used; the old one stays.
        """
        self.swapper, self._model = self._load(model), model

    def restart(self) -> None:
        """Load the model anew."""
        self.swapper = self._load(self._model)

    def close(self) -> None:
        """Let go of the model; the stage cannot be called any more."""
        # What a run is made of refers to itself in circles: only the garbage collector would
        # find it, and a model is too large to wait for that.
        del self.swapper


class Blend:
    """Put the swapped faces into the picture, and cover those that nobody swaps.

    Attributes:
        blender: changes the picture in place; `Blender.update` changes its settings.
    """

    def __init__(
        self,
        blender: Blender,
        wants_original: Callable[[], bool],
        watermark: Watermark | None = None,
    ) -> None:
        """Keep what is needed.

        Args:
            blender: is used by this stage alone.
            wants_original: asked for each frame whether a sink shows the picture as it was.
            watermark: hides a pattern in what the blender put in; None for none.
        """
        self.blender = blender
        self._watermark = watermark
        self._wants_original = wants_original

    def __call__(self, frame: Frame) -> Frame:
        """The frame with its picture changed, and what each face has to show for it."""
        if self._wants_original():
            frame = replace(frame, original=frame.image.copy())
        if not frame.faces:
            self.blender(frame.image, ())
            return frame
        for face in frame.faces:
            if face.bystander:
                cover_face(frame.image, face.landmarks)
        self.blender(frame.image, tuple(face for face in frame.faces if not face.bystander))
        if self._watermark is not None:
            self._watermark(frame.image, frame.faces, self.blender.patches)
        shown = self.blender.shown
        faces = tuple(
            replace(face, shown=1.0 if face.bystander else shown[face.track])
            for face in frame.faces
        )
        return replace(frame, faces=faces)

    def restart(self) -> None:
        """Forget what was measured of faces."""
        self.blender.forget()
