"""From swapped crops to a finished picture: mask, color, detail, and back into the frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np

from engine import (
    align,
    color,
    detail,
    face_mask,
    fade,
    masks,
    multiband,
    paste,
    regions,
    seam,
    skin,
    skin_model,
)
from engine.errors import EngineError
from engine.face import Face, Image, Swap
from engine.fade import FadeSettings

Blend: TypeAlias = Literal["feather", "poisson", "multiband"]
BLENDS: tuple[Blend, ...] = get_args(Blend)
"""`feather`: only the soft edge of the mask. `poisson`: in addition the difference of face and
frame along that edge is spread smoothly over the face, which hides a seam that no color
transfer of the whole face can. `multiband`: coarse differences fade out over a longer way than
fine ones."""

GRID = 128
"""Largest side of the grid that the frame's own face is measured on, and masks are made on."""

_DETAIL_FRAMES = 4
"""Sharpness and grain change slowly: once settled, each is measured in one of so many frames."""


@dataclass(frozen=True, slots=True)
class BlendSettings:
    """How swapped faces are put into the frame.

    Attributes:
        mask: shapes of `masks.SHAPES` joined by +, the intersection is taken.
        color: one of `color.TRANSFERS`, or one of them with '+light'.
        blend: one of `BLENDS`.
        skin_rule: one of `masks.SKIN_METHODS`, for the mask shape 'skin'.
        erode: how far the mask stays inside the face, as a fraction of the face's size.
        feather: over what distance the new face fades out, as a fraction of the face's size.
        feather_profile: one of `masks.FEATHER_PROFILES`; with 'smooth_mask' erode and feather
            do not count.
        opacity: 1 replaces the face, 0 leaves the frame as it is.
        sharpen: how far to follow the frame's sharpness, 0 (not) to 1.
        grain: how far to follow the frame's grain, 0 (not) to 1.
        fade: when the new face becomes transparent; never by default.
        smooth_frames: time constant in frames of what is measured of a face: its skin's color
            and shape, color, light, seam, sharpness and grain.

    Raises:
        EngineError: a name that does not exist or a number out of range.
    """

    mask: str = "hull"
    color: str = "lab+light"
    blend: Blend = "poisson"
    skin_rule: masks.SkinMethod = "calibrated"
    erode: float = 0.01
    feather: float = 0.12
    feather_profile: masks.FeatherProfile = "ramp"
    opacity: float = 1.0
    sharpen: float = 1.0
    grain: float = 1.0
    smooth_frames: float = 8.0
    fade: FadeSettings = field(default_factory=FadeSettings)

    def __post_init__(self) -> None:
        masks.parse_shapes(self.mask)
        color.parse_transfers(self.color)
        if self.blend not in BLENDS:
            raise EngineError(f"blend is {self.blend!r}; expected one of {', '.join(BLENDS)}")
        if self.skin_rule not in masks.SKIN_METHODS:
            raise EngineError(
                f"skin_rule is {self.skin_rule!r}; expected one of {', '.join(masks.SKIN_METHODS)}"
            )
        if self.feather_profile not in masks.FEATHER_PROFILES:
            raise EngineError(
                f"feather_profile is {self.feather_profile!r}; "
                f"expected one of {', '.join(masks.FEATHER_PROFILES)}"
            )
        for name, limit in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0.0 <= value <= limit:
                raise EngineError(f"{name} is {value!r}; expected a number from 0 to {limit:g}")


LIMITS: Mapping[str, float] = {
    "erode": 0.5,
    "feather": 0.5,
    "opacity": 1.0,
    "sharpen": 1.0,
    "grain": 1.0,
    "smooth_frames": 1000.0,
}
"""Numbers of `BlendSettings`, which all begin at 0, and where they end."""


class _Plan:
    """Settings as each face of each frame needs them: their texts taken apart once."""

    def __init__(self, settings: BlendSettings) -> None:
        self.settings = settings
        self.shapes = masks.parse_shapes(settings.mask)
        self.transfers = color.parse_transfers(settings.color)


class _Track:
    """What is remembered of one face from frame to frame."""

    def __init__(self) -> None:
        self.mask = face_mask.FaceMask()
        self.color = color.ColorMatch()
        self.seam = seam.SeamMatch()
        self.age = -1
        self.seen = 0
        self.sharpening = 0.0
        self.grain = 0.0

    def share(self, phase: int, rate: float) -> float:
        """How much of a detail's new measurement to take in this frame; 0 is do not measure."""
        if self.seen <= _DETAIL_FRAMES:
            return rate
        if self.seen % _DETAIL_FRAMES != phase:
            return 0.0
        return 1.0 - (1.0 - rate) ** _DETAIL_FRAMES


class Blender:
    """Puts the swapped faces of successive frames into them.

    One instance serves one stream of frames, called by one thread.

    Attributes:
        mask_fallbacks: how many faces got the hull because the mask that was asked for found
            no skin or the model gave no mask.
        faces_unusable: how many faces were left as they are because the model's answer was a
            picture of one value, or landmarks or map were no numbers.
        patches: what the last call put into its frame, by track: for whoever measures it.
        shown: by track, how much of the inner face the last call replaced, 0 to 1, as far as it
            lies inside the frame.
    """

    def __init__(self, settings: BlendSettings | None = None) -> None:
        self._plan = _Plan(settings or BlendSettings())
        self._tracks: dict[int, _Track] = {}
        self.mask_fallbacks = 0
        self.faces_unusable = 0
        self.patches: dict[int, paste.Patch] = {}
        self.shown: dict[int, float] = {}

    def update(self, settings: BlendSettings) -> None:
        """Use other settings from the next frame on; tracks keep what they have measured.

        Any thread may call it while another one blends: a frame reads the settings once, when
        it begins. Loops that the new settings need are compiled before they take effect.
        """
        warm_up(settings)
        self._plan = _Plan(settings)

    def forget(self) -> None:
        """Begin anew with every face; to be called between two frames."""
        self._tracks = {}

    def __call__(self, image: Image, faces: tuple[Face, ...]) -> int:
        """Composite every face that has a swap, in the given order.

        All faces are measured before the first is pasted, so the order matters only where
        two overlap: the later one lies on top.

        Args:
            image: (H, W, 3) uint8 BGR, changed in place where masks are above 0.
            faces: found in this very image.

        Returns:
            How many faces were composited; those without a swap, outside the frame, or with
            a degenerate place are left out.

        Raises:
            EngineError: not a writable image of this kind.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise EngineError(
                f"blending got {image.dtype} {image.shape}; expected a uint8 BGR (H, W, 3) image"
            )
        if not image.flags.writeable:
            raise EngineError("blending got a read-only image; pass a copy, it is changed in place")
        plan = self._plan  # once: another thread may replace them meanwhile
        # Only tracks of this frame live on: a face that comes back after a gap starts anew.
        self._tracks = {face.track: self._follow(face) for face in faces}
        prepared = [
            (face.track, item)
            for face in faces
            if image.size
            and face.swap is not None
            and (item := self._patch(image, face, face.swap, plan)) is not None
        ]
        for _, (patch, grain, seed) in prepared:
            paste.composite(image, patch, grain, seed)
        self.patches = {track: patch for track, (patch, _, _) in prepared}
        self.shown = {face.track: self._shown(face, image.shape) for face in faces}
        return len(prepared)

    def _shown(self, face: Face, shape: tuple[int, ...]) -> float:
        points = face.landmarks[regions.INNER_FACE]
        if not np.isfinite(points).all():
            return 0.0
        inside = points[((points >= 0) & (points <= (shape[1] - 1, shape[0] - 1))).all(axis=1)]
        if not len(inside):
            return 1.0
        patch = self.patches.get(face.track)
        return 0.0 if patch is None else patch.coverage(inside)

    def _follow(self, face: Face) -> _Track:
        track = self._tracks.get(face.track)
        if track is None or face.age <= track.age:
            track = _Track()
        return track

    def _patch(
        self, image: Image, face: Face, swap: Swap, plan: _Plan
    ) -> tuple[paste.Patch, float, int] | None:
        settings = plan.settings
        matrix = swap.frame_to_crop
        if not _usable(face, swap):
            self.faces_unusable += 1
            return None
        size = swap.image.shape[0]
        side = min(size, GRID)
        frame_to_grid = align.rescale(matrix, size, side)
        frame_crop = align.crop(image, frame_to_grid, side)
        points = align.apply(frame_to_grid, face.landmarks)
        track = self._tracks[face.track]
        rate = _rate(track, face.age, settings.smooth_frames)
        mask, fell_back = track.mask(
            plan.shapes,
            frame_crop,
            points,
            swap.mask,
            rule=settings.skin_rule,
            erode=settings.erode,
            feather=settings.feather,
            profile=settings.feather_profile,
            rate=rate,
        )
        self.mask_fallbacks += fell_back
        weights = color.skin_weights(mask, points)
        track.color.steps = plan.transfers
        new = track.color.apply(swap.image, frame_crop, weights, rate)
        if settings.blend == "poisson":
            visible = align.visible(frame_to_grid, side, image.shape)
            new = track.seam.apply(new, frame_crop, mask, weights, rate, visible=visible)
        if settings.sharpen > 0.0:
            if share := track.share(0, rate):
                fine = frame_crop if side == size else align.crop(image, matrix, size)
                track.sharpening += share * (detail.sharpening(new, fine, mask) - track.sharpening)
            new = detail.sharpened(new, settings.sharpen * track.sharpening)
        opacity = settings.opacity * fade.opacity(face, settings.fade)
        patch = paste.place(new, mask, matrix, image.shape) if opacity > 0.0 else None
        if patch is None:
            return None
        if settings.grain > 0.0 and (share := track.share(_DETAIL_FRAMES // 2, rate)):
            place = (patch.left, patch.top)
            missing = detail.missing_grain(patch.region(image), patch.image, face.landmarks, place)
            track.grain += share * (missing - track.grain)
        if settings.blend == "multiband":
            patch = multiband.blended(patch, image)
        patch.alpha[:] *= np.float32(opacity)
        return patch, settings.grain * track.grain, face.track * 31 + face.age


def _usable(face: Face, swap: Swap) -> bool:
    """Whether a face has a place, and its model an answer: saturated to one value is none."""
    if not (np.isfinite(swap.frame_to_crop).all() and np.isfinite(face.landmarks).all()):
        return False
    return swap.image.size > 0 and bool((swap.image != swap.image.flat[0]).any())


def _rate(track: _Track, age: int, constant: float) -> float:
    """Share of a new measurement: a plain mean at first, then an exponential one."""
    elapsed = age - track.age if track.seen else 1
    track.age = age
    track.seen += 1
    settled = 1.0 - math.exp(-elapsed / constant) if constant > 0.0 else 1.0
    return max(settled, 1.0 / track.seen)


def warm_up(settings: BlendSettings | None = None) -> None:
    """Compile or load every loop that these settings need before the clock starts."""
    skin.warm_up()
    skin_model.warm_up()
    paste.warm_up()
    settings = settings or BlendSettings()
    color.warm_up(color.parse_transfers(settings.color))
    if settings.blend == "poisson":
        seam.warm_up()
    elif settings.blend == "multiband":
        multiband.warm_up()
