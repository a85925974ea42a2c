"""Trials with a known right answer: a picture that stands still, a strand of hair, no change."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.identity import write_identity
from benchmarks.quality.scene import FRAME_NS, Engine
from benchmarks.quality.seam import signed_distance
from benchmarks.quality.texture import psnr_db
from engine import align
from engine.align import FULL_FACE
from engine.blend import Blender, BlendSettings
from engine.face import Face, Image, Landmarks, Swap
from engine.one_euro import OneEuro, SmoothingSettings
from engine.roi import face_size
from engine.swap import Swapper
from stream.frame import Frame

STILL_FRAMES = 24
IDENTITY_PX = 128
CROP_SIDES_PX = (96, 128, 192, 256)
"""Sides of the face's crop in the frame at which the identity network is tried."""

_SKIN_BGR = (112, 137, 183)
_HAIR_BGR = (24, 26, 30)
_FRINGE_PX = 20.0
_FRINGE = range(-24, 29)  # where its front is, in pixels inside the mask
_FRAME_PX = 480
_CROP_PX = 300.0  # side of the face's crop in that frame
_FALSE_BY = 12  # levels by which the new face is too dark, so that there is something to match

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviation of every landmark's x and y: pixels, plus a share of the face's size."""

    px: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Flicker:
    """How a face trembles in a picture that stands still.

    Attributes:
        sigma: standard deviation of the face's mean over time, the worst channel, in levels.
        largest: the largest change of that mean from one frame to the next.
    """

    sigma: float
    largest: float

    @classmethod
    def of(cls, means: Float) -> Flicker:
        """Take (frames, 3) means of a face."""
        if len(means) < 2:
            return cls(math.nan, math.nan)
        return cls(float(means.std(axis=0).max()), float(np.abs(np.diff(means, axis=0)).max()))


def flicker(engine: Engine, still: Image) -> Flicker:
    """Show one picture again and again, and see what becomes of the face's mean.

    Args:
        engine: with the model and settings to be judged.
        still: (H, W, 3) uint8 BGR with a face.
    """
    engine.restart()
    frames = (engine.detect(still, (number + 1) * FRAME_NS) for number in range(STILL_FRAMES))
    return _steadiness(engine, frames)


def shaken(
    engine: Engine,
    still: Image,
    noise: Noise,
    smoothing: SmoothingSettings | None,
) -> Flicker:
    """The same with Gaussian noise on every landmark.

    Args:
        engine: with the model and settings to be judged.
        still: (H, W, 3) uint8 BGR with a face.
        noise: how much.
        smoothing: of the tracker, which the noise passes; None lets all of it through.
    """
    engine.restart()
    detected = engine.detect(still, FRAME_NS)
    if not detected.faces:
        return Flicker.of(np.zeros((0, 3)))
    return _steadiness(engine, _shaking(detected, noise, smoothing))


def _shaking(detected: Frame, noise: Noise, smoothing: SmoothingSettings | None) -> Iterator[Frame]:
    random = np.random.default_rng(2018)
    face = detected.faces[0]
    size = face_size(face.landmarks)
    sigma_px = noise.px + noise.share * size
    smooth = OneEuro(smoothing) if smoothing else None
    for number in range(STILL_FRAMES):
        points = face.landmarks + random.normal(0.0, sigma_px, face.landmarks.shape)
        if smooth is not None:
            points = smooth(points.astype(np.float32), size, number * FRAME_NS)
        moved = replace(face, landmarks=np.asarray(points, np.float32), age=number)
        yield replace(detected, image=detected.image.copy(), faces=(moved,))


def _steadiness(engine: Engine, frames: Iterable[Frame]) -> Flicker:
    """Mean color of the first face over time, where the first frame's mask is above a half."""
    means: list[Float] = []
    region: NDArray[np.bool_] | None = None
    for frame in frames:
        scene = engine.finish(replace(frame, faces=frame.faces[:1]))
        if not scene.patches:
            continue
        if region is None:
            region = scene.alpha() > 0.5
        means.append(scene.after[region].astype(np.float64).mean(axis=0))
    return Flicker.of(np.array(means).reshape(-1, 3))


@dataclass(frozen=True, slots=True)
class Identity:
    """PSNR in dB of a picture that should not have changed.

    Attributes:
        frame_db: over the whole frame.
        face_db: over the pixels with a mask above 0.
    """

    frame_db: float
    face_db: float

    def to_json(self) -> dict[str, float | None]:
        """As plain values; None for a picture that came back bit by bit."""
        found = {"frame_db": self.frame_db, "face_db": self.face_db}
        return {name: round(db, 2) if math.isfinite(db) else None for name, db in found.items()}


def identity(engine: Engine, still: Image) -> dict[int, Identity]:
    """Run a network that changes nothing, on a picture at several sizes.

    Args:
        engine: with the settings to be judged; its model is replaced for a moment.
        still: (H, W, 3) uint8 BGR with a face.

    Returns:
        What came back, by the side of the face's crop in frame pixels; sizes at which no face
        is found or the picture would be enlarged are left out.
    """
    engine.restart()
    faces = engine.detect(still, FRAME_NS).faces
    if not faces:
        return {}
    side = _crop_side(faces[0].landmarks)
    model, found = engine.swapper, dict[int, Identity]()
    with tempfile.TemporaryDirectory() as folder:
        engine.swapper = Swapper(write_identity(Path(folder) / "identity.onnx", IDENTITY_PX), "cpu")
        try:
            for wanted in CROP_SIDES_PX:
                scale = wanted / side
                if scale > 1.05:
                    continue
                small = cv2.resize(still, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                engine.restart()
                scene = engine.finish(engine.detect(np.asarray(small, np.uint8), FRAME_NS))
                covered = scene.alpha() > 0.0
                if covered.any():
                    everywhere = np.ones_like(covered)
                    found[wanted] = Identity(
                        *(psnr_db(scene.before, scene.after, r) for r in (everywhere, covered))
                    )
        finally:
            engine.swapper = model
    return found


def _crop_side(landmarks: Landmarks) -> float:
    """Side of the square around a face that a model sees, in frame pixels."""
    matrix = FULL_FACE.frame_to_crop(landmarks, IDENTITY_PX)
    return IDENTITY_PX / math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))


@dataclass(frozen=True, slots=True)
class HairCrossing:
    """Largest jump of the face's mean color from one frame to the next, in gray levels."""

    ours: float
    seamless_clone: float


def hair_crossing(settings: BlendSettings, landmarks: Landmarks) -> HairCrossing:
    """A dark fringe moves over the upper half of the mask's edge, a pixel a frame.

    It follows the edge, so that it crosses everywhere at once. The frame is plain skin and so
    is the new face, a little darker: whatever happens to the middle of the face, which the
    fringe does not reach, is the blend's doing. cv2.seamlessClone gets the same mask, cut at
    a half.

    Args:
        settings: to be judged.
        landmarks: (478, 2) of a frontal face, in pixels of any frame.
    """
    points = _centered(landmarks)
    matrix = FULL_FACE.frame_to_crop(points, IDENTITY_PX)
    false = tuple(level - _FALSE_BY for level in _SKIN_BGR)
    swap = np.full((IDENTITY_PX, IDENTITY_PX, 3), false, np.uint8)
    blender, middle = Blender(settings), _middle(points)
    skin = np.full((_FRAME_PX, _FRAME_PX, 3), _SKIN_BGR, np.uint8)
    blender(skin.copy(), (Face(points, track=1, swap=Swap(swap, None, matrix)),))
    mask = np.zeros(skin.shape[:2], np.float32)
    blender.patches[1].region(mask)[:] = blender.patches[1].alpha
    depth = signed_distance(mask)
    depth[middle[0].start :] = -np.inf
    ours, clones = [], []
    for number, front in enumerate(_FRINGE):
        frame = skin.copy()
        frame[(depth <= front) & (depth > front - _FRINGE_PX)] = _HAIR_BGR
        after = frame.copy()
        blender(after, (Face(points, track=1, age=number + 1, swap=Swap(swap, None, matrix)),))
        ours.append(_mean(after, middle))
        clones.append(_mean(_seamless_clone(frame, mask >= 0.5, false), middle))
    return HairCrossing(*(Flicker.of(np.array(means)).largest for means in (ours, clones)))


def _centered(landmarks: Landmarks) -> Landmarks:
    matrix = FULL_FACE.frame_to_crop(landmarks, round(_CROP_PX))
    inside = align.apply(matrix, landmarks) + (_FRAME_PX - _CROP_PX) / 2.0
    return np.asarray(inside, np.float32)


def _middle(points: Landmarks) -> tuple[slice, slice]:
    """A square around the tip of the nose, a quarter of the face wide."""
    x, y = np.rint(points[4]).astype(int)
    half = round(_CROP_PX / 12)
    return slice(y - half, y + half), slice(x - half, x + half)


def _mean(image: Image, place: tuple[slice, slice]) -> Float:
    return np.asarray(image[place].reshape(-1, 3).mean(axis=0), np.float64)


def _seamless_clone(frame: Image, domain: NDArray[np.bool_], color: tuple[int, ...]) -> Image:
    mask = domain.astype(np.uint8) * 255  # made anew: seamlessClone changes it
    x, y, width, height = cv2.boundingRect(mask)
    center = (x + width // 2, y + height // 2)
    face = np.full_like(frame, color)
    return np.asarray(cv2.seamlessClone(face, frame, mask, center, cv2.NORMAL_CLONE), np.uint8)
