"""The only way out: what may leave, and what leaves in its place.

A frame may leave if the model has demonstrably written every face in it. Proof is made where
pixels are made: the swapper measures how far the model changed the face (`Swap.change`), the
blender how much of it reached the picture (`Face.shown`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from engine.cover import cover_face, cover_frame
from engine.face import Face, Image
from stream.errors import ConfigError
from stream.frame import Frame
from stream.marking.label import Label
from stream.missing import Missing
from stream.slate import slate
from stream.timebase import NS_PER_S

OnMiss: TypeAlias = Literal["auto", "hold", "blur", "slate", "pass"]
ON_MISS: tuple[OnMiss, ...] = get_args(OnMiss)
"""`hold`: the last good picture, for `hold_s`, then the slate. `blur`: faces without proof are
covered; the whole picture, if there is none to cover. `slate`: at once. `pass`: as it is, and
counted. `auto`: hold in live runs, pass otherwise."""

LEAST_CHANGE: Final = 3.0
"""Gray levels: a model that changes less has given its input back."""

LEAST_SHOWN: Final = 0.5
"""Share of eyes, nose and mouth: with less replaced, the person can be recognized."""

BYSTANDERS: Final = 2
"""Faces that are looked for in addition, to be covered."""

SILENCE: Final = ("No picture", "The source is being looked for")
_NO_FACE = ("No face", "The camera sees nobody whom it could replace")
_UNPROVEN = ("One moment", "A face could not be replaced")


@dataclass(frozen=True, slots=True)
class GateSettings:
    """When a frame may not leave, and how outputs are kept alive.

    Attributes:
        on_miss: one of `ON_MISS`.
        patience_s: a live source is silent when no frame came for so long.
        hold_s: how long the last good picture is repeated before a slate takes its place.
        held_rate_hz: repeated pictures per second while the source is silent.
        remember_s: a face that vanished inside the picture is missed for so long.
    """

    on_miss: OnMiss = "auto"
    patience_s: float = 0.5
    hold_s: float = 2.0
    held_rate_hz: float = 10.0
    remember_s: float = 3.0

    def __post_init__(self) -> None:
        if self.on_miss not in ON_MISS:
            raise ConfigError(f"on_miss is {self.on_miss!r}; expected one of {', '.join(ON_MISS)}")
        for name in ("patience_s", "held_rate_hz"):
            value = getattr(self, name)
            if not value > 0:
                raise ConfigError(f"{name} is {value:g}; expected more than 0")
        for name in ("hold_s", "remember_s"):
            value = getattr(self, name)
            if not value >= 0:
                raise ConfigError(f"{name} is {value:g}; expected 0 or more seconds")


class Gate:
    """Passes good frames on with rising times, and makes others in place of the rest.

    Called by one thread: with each frame that left the last stage, and with None when the
    time of `patience_s` has passed without any.

    Attributes:
        held: frames made because none came.
        withheld: frames that came, but left covered or not at all.
        bystanders: how many faces to look for beyond those that are swapped.
        unproven: frames with a face that nothing proves to be replaced, or without one that was
            there just before.
    """

    def __init__(
        self,
        settings: GateSettings,
        *,
        live: bool,
        size: tuple[int, int],
        label: Label | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Nothing has passed yet.

        Args:
            settings: the policy, and times.
            live: fill silence; and what `auto` means.
            size: width and height of slates before the first picture.
            label: drawn into whatever leaves; None for no label.
            clock_ns: monotonic.
        """
        self._first_size = size
        self._label = label
        self._settings = settings
        self._live = live
        self._on_miss = settings.on_miss
        if settings.on_miss == "auto":
            self._on_miss = "hold" if live else "pass"
        self.bystanders = 0 if self._on_miss == "pass" else BYSTANDERS
        self._clock_ns = clock_ns
        self._missing = Missing(round(settings.remember_s * NS_PER_S))
        self._last: Frame | None = None
        self._good: Image | None = None
        self._good_ns = self._left_ns = 0
        self._slates: dict[tuple[str, str, int, int], Image] = {}
        self.held = self.withheld = self.unproven = 0

    def patience_s(self) -> float | None:
        """How long to wait for the next frame; None for ever."""
        if not self._live:
            return None
        self._left_ns = self._left_ns or self._clock_ns()
        repeats = self._last is not None and self._last.held
        wait_s = 1 / self._settings.held_rate_hz if repeats else self._settings.patience_s
        due_ns = self._left_ns + round(wait_s * NS_PER_S)
        return max(due_ns - self._clock_ns(), 0) / NS_PER_S

    def __call__(self, frame: Frame | None) -> Frame:
        """The frame to send: this one, or one in its place.

        Args:
            frame: None when none came in time.
        """
        now_ns = self._clock_ns()
        if frame is None:
            out = self._in_silence(now_ns)
            self.held += 1
        else:
            out = self._judged(frame, now_ns)
            if self._last is not None and out.pts_ns <= self._last.pts_ns and self._live:
                # Frames made up meanwhile may reach a little further than the source's time.
                out = replace(out, pts_ns=self._last.pts_ns + 1)
        if self._label is not None:
            self._label(out.image, out.faces)
        self._last, self._left_ns = out, now_ns
        return out

    def _judged(self, frame: Frame, now_ns: int) -> Frame:
        if not is_picture(frame.image):
            # No policy lets this pass: no sink could write it.
            self.unproven += 1
            self.withheld += 1
            return self._without(frame, now_ns)
        missing = self._missing.update(frame, now_ns)
        unproven = [face for face in frame.faces if not is_proven(face)]
        swapped = [face for face in frame.faces if not face.bystander]
        if swapped and not unproven and not missing:
            self._good, self._good_ns = frame.image, now_ns
            return frame
        self.unproven += bool(unproven or missing)
        if self._on_miss == "pass":
            return frame
        self.withheld += 1
        if self._on_miss == "blur":
            return self._covered(frame, unproven, missing)
        return self._without(frame, now_ns)

    def _covered(self, frame: Frame, unproven: list[Face], missing: list[Face]) -> Frame:
        image = frame.image.copy()
        if unproven or missing:
            for face in unproven:
                cover_face(image, face.landmarks)
            for face in missing:
                cover_face(image, face.landmarks, growth=1.5)
        else:
            cover_frame(image)
        return replace(frame, image=image)

    def _without(self, frame: Frame, now_ns: int) -> Frame:
        """The good picture from before, or a slate, in the frame's place and with its sound."""
        words = _UNPROVEN if frame.faces else _NO_FACE
        image = self._good_enough(now_ns) if self._on_miss in {"hold", "pass"} else None
        if image is None:
            image = self._slate(*words, self._size(frame))
        return replace(frame, image=image, original=None, faces=(), held=True)

    def _in_silence(self, now_ns: int) -> Frame:
        last = self._last
        image = self._good_enough(now_ns) if self._on_miss != "slate" else None
        if image is None:
            image = self._slate(*SILENCE, self._size(last))
        if last is None:
            return Frame(image, pts_ns=0, seq=0, captured_ns=now_ns, held=True)
        return replace(
            last,
            image=image,
            original=None,
            pts_ns=last.pts_ns + now_ns - self._left_ns,
            faces=(),
            audio=(),
            held=True,
        )

    def _good_enough(self, now_ns: int) -> Image | None:
        hold_ns = self._settings.hold_s * NS_PER_S
        return self._good if now_ns - self._good_ns < hold_ns else None

    def _size(self, frame: Frame | None) -> tuple[int, int]:
        for known in (frame, self._last):
            if known is not None and is_picture(known.image):
                return known.image.shape[1], known.image.shape[0]
        return self._first_size

    def _slate(self, title: str, line: str, size: tuple[int, int]) -> Image:
        key = (title, line, *size)
        if key not in self._slates:
            self._slates = {key: slate(*size, title, line)}  # the latest is enough
        return self._slates[key]


def is_proven(face: Face) -> bool:
    """Whether a face that was found is one that the model has written."""
    if face.bystander:
        return face.shown >= 1.0  # covered
    return face.swap is not None and face.swap.change >= LEAST_CHANGE and face.shown >= LEAST_SHOWN


def is_picture(image: object) -> bool:
    """Whether it is (H, W, 3) uint8 with at least one pixel."""
    return (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] == 3
        and image.size > 0
    )
