"""What makes a person: a shape, a look, and the parts to draw with an expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.persona import textures
from export.persona.expressions import Expression
from export.persona.glasses import Glasses
from export.persona.rig import Rig, Vertices
from export.persona.scene import Material, Part, Surface, Texture

Color = tuple[float, float, float]

_HAIR_TEXTURES = {"afro01": "afro_diffuse"}


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A head that can be posed.

    Attributes:
        name: of a person; no two people share one.
        neutral: (N, 3) the base mesh with this person's shape.
        materials: by part: skin, eyes, teeth, tongue, brows, lashes, hair.
        hair, brows, lashes: proxies of those names.
        glasses: worn, or None.
        tongue_back: how far the tongue is drawn back and down, in decimeters.
    """

    name: str
    neutral: Vertices
    materials: Mapping[str, Material]
    hair: str
    brows: str
    lashes: str = "eyelashes01"
    glasses: Glasses | None = None
    tongue_back: float = 0.0

    def pivot(self, rig: Rig) -> NDArray[np.float64]:
        """A point behind the bridge of the nose, about which the head turns."""
        eyes = rig.proxy("eyes").fit(self.neutral)
        return np.array([0.0, eyes[:, 1].mean() - 0.3, eyes[:, 2].mean() - 0.9])

    def parts(self, rig: Rig, expression: Expression) -> list[Part]:
        """The person's meshes with an expression."""
        base = rig.morph(self.neutral, expression.targets())
        eyes = rig.eyeballs(base, expression.gaze_deg)
        parts = [
            Part(rig.base, base, self.materials["skin"], levels=1),
            Part(rig.proxy("eyes").mesh, eyes, self.materials["eyes"]),
        ]
        for name, proxy, casts in (
            ("teeth", "teeth/teeth_base", False),
            ("tongue", "tongue/tongue01", False),
            ("brows", f"eyebrows/{self.brows}", False),
            ("lashes", f"eyelashes/{self.lashes}", False),
            ("hair", f"hair/{self.hair}", True),
        ):
            fitted = rig.proxy(proxy)
            vertices = fitted.fit(base)
            if name == "tongue":
                vertices -= self.tongue_back * np.array([0.0, 0.7, 0.7])
            parts.append(Part(fitted.mesh, vertices, self.materials[name], casts))
        if self.glasses is not None:
            parts.append(self.glasses.part(eyes, base))
        return parts


def shape(
    rig: Rig,
    male: float,
    age: float,
    origin: Mapping[str, float],
    modifiers: Mapping[str, float],
) -> Vertices:
    """The base mesh of one person.

    Args:
        rig: the rig.
        male: 0 (female) to 1 (male).
        age: 0 (young) to 1 (old).
        origin: shares of "caucasian", "asian", "african"; they sum to 1.
        modifiers: weights of further targets.

    Returns:
        (N, 3) vertices.
    """
    weights = dict(modifiers)
    for gender, gender_share in (("female", 1 - male), ("male", male)):
        for years, years_share in (("young", 1 - age), ("old", age)):
            share = gender_share * years_share
            body = f"macrodetails/universal-{gender}-{years}-averagemuscle-averageweight"
            weights[body] = share
            for name, part in origin.items():
                weights[f"macrodetails/{name}-{gender}-{years}"] = share * part
    return rig.morph(rig.base.vertices, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a head is covered with; tints are factors on the linear albedo.

    Attributes:
        skin: picture of the whole skin.
        eyes: picture of both eyes.
        brows, lashes, hair: proxies of those names.
        skin_tint, brow_tint, hair_tint, teeth_tint: RGB.
        roughness, gloss: of the skin's highlights.
    """

    skin: Texture
    eyes: Texture
    brows: str
    lashes: str
    hair: str
    skin_tint: Color = (1.0, 1.0, 1.0)
    brow_tint: Color = (1.0, 1.0, 1.0)
    hair_tint: Color = (1.0, 1.0, 1.0)
    teeth_tint: Color = (2.8, 2.6, 2.25)
    roughness: float = 0.45
    gloss: float = 1.0

    def materials(self, rig: Rig) -> dict[str, Material]:
        """Materials of all parts of a head."""
        folder = rig.assets / "textures"
        hair_file = _HAIR_TEXTURES.get(self.hair, f"{self.hair}_diffuse")

        def picture(file: str) -> Texture:
            return textures.load(folder / f"{file}.png")

        return {
            "skin": Material(Surface.SKIN, self.skin, self.skin_tint, self.roughness, self.gloss),
            "eyes": Material(Surface.EYE, self.eyes, (1.35, 1.33, 1.33)),
            "teeth": Material(Surface.MOUTH, picture("teeth/teeth"), self.teeth_tint),
            "tongue": Material(
                Surface.MOUTH, picture("tongue/tongue01_diffuse"), (1.0, 0.85, 0.85)
            ),
            "brows": Material(Surface.STRAND, picture(f"eyebrows/{self.brows}"), self.brow_tint),
            "lashes": Material(
                Surface.STRAND, picture(f"eyelashes/{self.lashes}"), (0.5, 0.45, 0.4)
            ),
            "hair": Material(Surface.HAIR, picture(f"hair/{hair_file}"), self.hair_tint),
        }
