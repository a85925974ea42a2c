"""One pair at a time: a face A, and Maro Venn in the same pose, expression and light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine import align
from engine.face import Image
from export.dataset import STORED_SIZE, Kind, Pair, frame_to_stored
from export.persona.backdrop import random_backdrop
from export.persona.crowd import random_person
from export.persona.expressions import Expression, from_blendshapes, random_expression
from export.persona.light import Light, random_light
from export.persona.maro import maro_venn
from export.persona.observe import Observation, Observer
from export.persona.people import Person
from export.persona.photos import Photo
from export.persona.puppet import perform, random_performance
from export.persona.relight import fit_light
from export.persona.render import Renderer
from export.persona.rig import Rig, head_rotation, rotation_x
from export.persona.scene import View

RENDER_SIZE = 336

# Five poses of random heads for two photos, in an order that mixes them.
_PATTERN = "rprrprr"
_POSES_PER_HEAD = 4
_HEADS_PER_POSE = 2

# MediaPipe sees an upright portrait as turned down by this much.
_PITCH_BIAS_DEG = 6.0
_FACE_CENTER = np.array([0.0, -0.12, 0.8])
_VIEW_HEIGHT = 3.0
_PHOTO_DISTANCE = 12.0
_MARO_ALBEDO = 0.36
_EXPOSURE = 0.36


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """What A and B have in common."""

    expression: Expression
    turn: NDArray[np.float64]
    light: Light
    distance: float


@dataclass(slots=True, eq=False)
class PairMaker:
    """Renders pairs. Every job is a function of its number and the seed.

    Attributes:
        rig: the rig.
        photos: portraits for pairs with real faces.
        seed: of everything random.
    """

    rig: Rig
    photos: list[Photo]
    seed: int
    _renderer: Renderer = field(init=False)
    _observer: Observer = field(init=False)
    _maro: Person = field(init=False)
    _heads: dict[int, Person] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._renderer = Renderer(RENDER_SIZE, RENDER_SIZE)
        self._observer = Observer()
        self._maro = maro_venn(self.rig)

    def close(self) -> None:
        """Release MediaPipe."""
        self._observer.close()

    def run(self, job: int) -> Iterator[Pair]:
        """Pairs of one job: some pose random heads, some portray a photo."""
        block, place = divmod(job, len(_PATTERN))
        kind = _PATTERN[place]
        number = block * _PATTERN.count(kind) + _PATTERN[:place].count(kind)
        return self.portrayed(number) if kind == "p" else self.posed(number)

    def posed(self, job: int) -> Iterator[Pair]:
        """Random heads and Maro in one random pose."""
        rng = np.random.default_rng((self.seed, 0, job))
        expression, light = random_expression(rng), random_light(rng)
        pose = (
            float(np.clip(rng.normal(0, 25), -60, 60)),
            float(np.clip(rng.normal(0, 12), -28, 28)),
            float(np.clip(rng.normal(0, 6), -15, 15)),
        )
        turn, distance = head_rotation(*pose), rng.uniform(6.5, 14.0)
        scene = _Scene(expression, turn, light.scaled(rng.uniform(0.8, 1.3)), distance)
        target = self._shoot(self._maro, scene, rng)
        if target is None:
            return
        group = job // _POSES_PER_HEAD
        for head in range(_HEADS_PER_POSE):
            identity = group * _HEADS_PER_POSE + head
            shot = self._shoot(self._head(identity), scene, rng)
            if shot is not None:
                yield _pair(shot, target, Kind.RENDER, identity)

    def _head(self, identity: int) -> Person:
        if identity not in self._heads:
            while len(self._heads) >= _HEADS_PER_POSE:
                gone = self._heads.pop(next(iter(self._heads)))
                for part in ("skin", "eyes"):
                    self._renderer.forget(gone.materials[part].texture.name)
            rng = np.random.default_rng((self.seed, 1, identity))
            self._heads[identity] = random_person(self.rig, rng)
        return self._heads[identity]

    def portrayed(self, job: int) -> Iterator[Pair]:
        """A photo and its mirror image, each with Maro doing the same.

        After all photos had their turn they come again with another slope of brightness,
        shut eyes, an open mouth, or both.
        """
        rng = np.random.default_rng((self.seed, 2, job))
        turn, index = divmod(job, len(self.photos))
        photo = self.photos[index]
        image = photo.read()
        for mirrored in (False, True):
            seen = np.asarray(image[:, ::-1].copy() if mirrored else image, np.uint8)
            if turn:
                seen = _slope(seen, rng)
            face = self._observer(seen)
            if face is None:
                continue
            expression = from_blendshapes(face.blendshapes)
            if turn:
                performance = random_performance(rng)
                seen = perform(seen, face.landmarks, performance, rng)
                expression = performance.added_to(expression)
                face = self._observer(seen)
                if face is None:
                    continue
            light = fit_light(seen, face, _EXPOSURE, _MARO_ALBEDO)
            upright = face.turn @ rotation_x(np.radians(-_PITCH_BIAS_DEG))
            scene = _Scene(expression, upright, light, _PHOTO_DISTANCE)
            target = self._shoot(self._maro, scene, rng)
            if target is not None:
                yield _pair((seen, face), target, Kind.PHOTO, photo.identity)

    def _shoot(
        self, person: Person, scene: _Scene, rng: np.random.Generator
    ) -> tuple[Image, Observation] | None:
        """A rendered portrait and what is seen in it; None if no face is found."""
        right, up, _ = scene.turn @ _FACE_CENTER
        shift = (-float(right), -float(up))
        view = View(scene.turn, person.pivot(self.rig), scene.distance, _VIEW_HEIGHT, shift)
        parts = person.parts(self.rig, scene.expression)
        rendering = self._renderer.render(parts, view, scene.light)
        image = rendering.over(random_backdrop(rng, RENDER_SIZE, RENDER_SIZE))
        face = self._observer(image)
        return None if face is None else (image, face)


def _pair(
    a: tuple[Image, Observation], b: tuple[Image, Observation], kind: Kind, identity: int
) -> Pair:
    crops, points = [], []
    for image, face in (a, b):
        matrix = frame_to_stored(face.landmarks)
        crops.append(align.crop(image, matrix, STORED_SIZE))
        points.append(align.apply(matrix, face.landmarks).astype(np.float32))
    return Pair(crops[0], crops[1], points[0], points[1], kind, identity)


def _slope(image: Image, rng: np.random.Generator) -> Image:
    """Make one side of a picture brighter than the other."""
    height, width = image.shape[:2]
    ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.45)
    gain = rng.uniform(0.75, 1.15) * (1 + strength * (np.cos(angle) * xs + np.sin(angle) * ys))
    return np.asarray(np.clip(image * gain[..., None] + 0.5, 0, 255), np.uint8)
