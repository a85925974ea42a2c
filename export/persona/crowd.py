"""Random heads, all different, none of them real."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.persona import textures
from export.persona.glasses import Glasses
from export.persona.people import Color, Look, Person, shape
from export.persona.rig import Rig
from export.persona.scene import Texture

_SHORT_HAIR = ("short01", "short02", "short03", "short04")
_HAIR = (*_SHORT_HAIR, "ponytail01", "bob01", "long01", "braid01", "afro01")


def random_person(rig: Rig, rng: np.random.Generator) -> Person:
    """A random head: shape, age, skin, eyes, brows, hair, now and then glasses."""
    male = abs(float(rng.integers(0, 2)) - rng.uniform(0, 0.25))
    african, asian, caucasian = rng.dirichlet([0.5] * 3)
    age = float(rng.beta(1, 2) * 0.9)
    modifiers = _random_modifiers(rig, rng)
    neutral = shape(
        rig, male, age, {"caucasian": caucasian, "asian": asian, "african": african}, modifiers
    )
    skin = str(rng.choice(_fitting_skins(rig, rng, male, african)))
    rgb = textures.blend_skins(rig.assets, {skin: 1.0}, 1024, rng.uniform(0.4, 1.4))
    brows = f"eyebrow{rng.integers(1, 13):03d}"
    lashes = f"eyelashes{rng.integers(1, 5):02d}"
    hair = str(rng.choice(_SHORT_HAIR if male > 0.5 and rng.uniform() < 0.8 else _HAIR))
    gray = textures.read(rig.assets / "textures" / "eyes" / "grey_eye.png")
    iris = textures.recolor_iris(gray, *_random_iris(rng))
    hair_tint = rng.uniform(0.15, 1.6) * np.array([1.0, rng.uniform(0.75, 1), rng.uniform(0.5, 1)])
    tone = rng.uniform(0.75, 1.25) * np.clip(1 + rng.normal(0, 0.05, 3), 0.85, 1.15)
    name = f"random-{rng.integers(1 << 62):x}"
    return Person(
        name,
        neutral,
        Look(
            textures.opaque(f"{name}-skin", rgb),
            Texture(f"{name}-eyes", iris),
            brows,
            lashes,
            hair,
            skin_tint=_color(tone),
            brow_tint=_color(rng.uniform(0.2, 2.0) * np.array([1.0, 0.8, 0.65])),
            hair_tint=_color(hair_tint),
            teeth_tint=_color(rng.uniform(0.7, 1.05) * np.array([2.8, 2.6, 2.25])),
            roughness=rng.uniform(0.35, 0.6),
            gloss=rng.uniform(0.4, 1.3),
        ).materials(rig),
        hair=hair,
        brows=brows,
        lashes=lashes,
        glasses=Glasses.random(rng) if rng.uniform() < 0.2 else None,
    )


def _fitting_skins(rig: Rig, rng: np.random.Generator, male: float, african: float) -> list[str]:
    names = textures.skin_names(rig.assets)
    gender = "_male_" if male > 0.5 else "_female_"
    if rng.uniform() < 0.85:
        names = [name for name in names if gender in name]
    dark = rng.uniform() < african * 0.9
    return [name for name in names if ("african" in name) == dark]


def _random_modifiers(rig: Rig, rng: np.random.Generator) -> dict[str, float]:
    weights: dict[str, float] = {}
    used: set[str] = set()
    for choice in rng.choice(len(rig.identity_targets), 24, replace=False):
        names = rig.identity_targets[choice]
        stem = names[0].rsplit("-", 1)[0]
        if stem in used:  # its opposite was drawn already
            continue
        used.add(stem)
        weight = min(abs(rng.normal(0, 0.5)), 1.0)
        if stem.startswith("head/head"):
            weight *= 0.6
        if "nostrils" in stem or "septum" in stem:
            weight *= 0.5
        weights.update(dict.fromkeys(names, weight))
    return weights


_IRISES = (
    ((70, 42, 22), (52, 32, 20)),
    ((95, 60, 30), (70, 45, 25)),
    ((120, 90, 50), (95, 95, 65)),
    ((110, 120, 90), (80, 105, 85)),
    ((120, 135, 150), (85, 110, 140)),
    ((140, 145, 150), (105, 115, 125)),
)


def _random_iris(rng: np.random.Generator) -> tuple[Color, Color]:
    inner, outer = _IRISES[rng.choice(len(_IRISES), p=[0.35, 0.25, 0.12, 0.08, 0.12, 0.08])]
    gain = rng.uniform(0.8, 1.25)
    return _color(gain * np.array(inner)), _color(gain * np.array(outer))


def _color(values: NDArray[np.float64]) -> Color:
    red, green, blue = values
    return float(red), float(green), float(blue)
