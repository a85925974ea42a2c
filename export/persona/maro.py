"""Maro Venn, the persona of the bundled model. Nobody of that name or face exists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.persona import textures
from export.persona.people import Look, Person, shape
from export.persona.rig import Rig, Vertices
from export.persona.scene import Material, Surface, Texture

_MARO_SHAPE = {
    "head/head-scale-horiz-incr": 0.6,
    "head/head-square": 0.25,
    "chin/chin-width-incr": 0.12,
    "chin/chin-height-incr": 0.5,
    "chin/chin-jaw-drop-incr": 0.12,
    "chin/chin-prominent-incr": 0.25,
    "chin/chin-cleft-incr": 0.4,
    "cheek/l-cheek-bones-incr": 0.45,
    "cheek/r-cheek-bones-incr": 0.45,
    "eyes/l-eye-scale-incr": 0.25,
    "eyes/r-eye-scale-incr": 0.25,
    "eyes/l-eye-height2-incr": 0.15,
    "eyes/r-eye-height2-incr": 0.15,
    "nose/nose-hump-incr": 0.25,
    "nose/nose-point-width-decr": 0.2,
    "mouth/mouth-scale-horiz-incr": 0.5,
    "mouth/mouth-angles-up": 0.3,
    "mouth/mouth-lowerlip-volume-incr": 0.3,
    "mouth/mouth-upperlip-volume-incr": 0.25,
    "eyebrows/eyebrows-trans-up": 0.25,
}
_MARO_SKINS = {
    "middleage_caucasian_male__middleage_lightskinned_male_diffuse": 0.45,
    "young_asian_male__young_lightskinned_male_diffuse3": 0.3,
    "young_caucasian_male__young_lightskinned_male_diffuse2": 0.25,
}


def maro_venn(rig: Rig) -> Person:
    """Maro Venn, the persona of the bundled model: invented, a blend of several skins."""
    neutral = shape(
        rig, 0.85, 0.22, {"caucasian": 0.6, "asian": 0.25, "african": 0.15}, _MARO_SHAPE
    )
    skin = textures.blend_skins(rig.assets, _MARO_SKINS, 2048, detail=1.5)
    mole = on_face(rig, neutral, [(0.52, -0.62)])
    textures.paint_spots(skin, [(u, v, 0.0016, 0.8) for u, v in mole], (105, 70, 55))
    rng = np.random.default_rng(2048)
    places = np.column_stack(
        [np.clip(rng.normal(0, 0.4, 44), -0.6, 0.6), rng.normal(-0.36, 0.1, 44)]
    )
    freckles = [
        (u, v, rng.uniform(0.0006, 0.0013), rng.uniform(0.2, 0.45))
        for u, v in on_face(rig, neutral, places)
    ]
    textures.paint_spots(skin, freckles, (165, 110, 80))
    gray = textures.read(rig.assets / "textures" / "eyes" / "grey_eye.png")
    iris = textures.recolor_iris(gray, (112, 88, 56), (92, 100, 84))
    brows = textures.thicken(rig.assets / "textures" / "eyebrows" / "eyebrow001.png")
    look = Look(
        textures.opaque("maro-venn-skin", skin),
        Texture("maro-venn-eyes", iris),
        "eyebrow001",
        "eyelashes01",
        "short01",
        hair_tint=(0.55, 0.42, 0.34),
    ).materials(rig)
    look["brows"] = Material(Surface.STRAND, Texture("maro-venn-brows", brows), (0.3, 0.22, 0.18))
    return Person(
        "maro-venn",
        neutral,
        look,
        hair="short01",
        brows="eyebrow001",
    )


def on_face(
    rig: Rig, neutral: Vertices, places: list[tuple[float, float]] | NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Texture coordinates of places on the front of a face.

    Args:
        rig: the rig.
        neutral: (N, 3) vertices of the person.
        places: x to the figure's left and y up from between the eyes, in decimeters.

    Returns:
        u, v of each, interpolated from the nearest faces seen from the front.
    """
    eyes = rig.proxy("eyes").fit(neutral)
    centers = neutral[rig.base.faces].mean(axis=1)
    uv = rig.base.uv[rig.base.face_uv].mean(axis=1)
    front = centers[:, 2] > eyes[:, 2].mean() - 0.4
    centers, uv = centers[front], uv[front]
    found = []
    for x, y in places:
        distance = np.hypot(centers[:, 0] - x, centers[:, 1] - (eyes[:, 1].mean() + y))
        near = np.argsort(distance)[:4]
        weight = 1 / (distance[near] + 1e-3)
        u, v = (uv[near] * weight[:, None]).sum(axis=0) / weight.sum()
        found.append((float(u), float(v)))
    return found
