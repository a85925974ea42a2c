"""Facial expressions as weights of the rig's expression units, and where the eyes look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

UNITS = "expression/units/caucasian"
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Expression:
    """What a face does.

    Attributes:
        units: weight of each expression unit by its short name, such as "mouth-open".
        gaze_deg: the eyes' turn to the figure's left, and downwards.
    """

    units: Mapping[str, float] = field(default_factory=dict)
    gaze_deg: tuple[float, float] = (0.0, 0.0)

    def targets(self) -> dict[str, float]:
        """Weights by the target's full name."""
        return {f"{UNITS}/{name}": weight for name, weight in self.units.items()}


_MOUTHS = ("rest", "open", "smile", "laugh", "pucker", "talk", "down", "press", "round")
_MOUTH_SHARES = (0.12, 0.15, 0.18, 0.14, 0.07, 0.18, 0.05, 0.05, 0.06)
_BROWS = ("rest", "up", "down", "inner-up", "extern-up")
_BROW_SHARES = (0.42, 0.2, 0.18, 0.12, 0.08)
_EYES = ("rest", "closed", "half", "slit", "wide")
_EYE_SHARES = (0.52, 0.14, 0.12, 0.12, 0.1)


def random_expression(rng: np.random.Generator) -> Expression:
    """A mouth, brows, eyelids and gaze, drawn independently."""
    units = _random_mouth(rng)
    brows = rng.choice(_BROWS, p=_BROW_SHARES)
    eyes = rng.choice(_EYES, p=_EYE_SHARES)
    brow_amount, eye_amount = rng.uniform(0.2, 1.0, 2)
    wink = rng.choice(SIDES) if rng.uniform() < 0.04 else None
    for side in SIDES:
        if brows != "rest":
            units[f"eyebrows-{side}-{brows}"] = brow_amount * rng.uniform(0.8, 1.0)
        if eyes == "closed" or wink == side:
            units[f"eye-{side}-closure"] = 1.0
        elif eyes == "half":
            units[f"eye-{side}-closure"] = eye_amount * 0.8
        elif eyes == "slit":
            units[f"eye-{side}-slit"] = eye_amount
        elif eyes == "wide":
            units[f"eye-{side}-opened-up"] = eye_amount * 0.7
    if rng.uniform() < 0.12:
        for side in SIDES:
            units[f"nose-{side}-elevation"] = rng.uniform(0.0, 0.7)
    gaze = (rng.uniform(-24, 24), rng.uniform(-12, 14))
    if rng.uniform() < 0.4:
        gaze = (gaze[0] * 0.2, gaze[1] * 0.2)
    return Expression(units, gaze)


def _random_mouth(rng: np.random.Generator) -> dict[str, float]:  # noqa: PLR0911  # a table
    amount, part, small = rng.uniform(0.15, 1.0), rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.35)
    match rng.choice(_MOUTHS, p=_MOUTH_SHARES):
        case "open":
            return {"mouth-open": 0.8 * amount, "mouth-retraction": small}
        case "smile":
            return {"mouth-corner-puller": amount, "mouth-part-later": part}
        case "laugh":
            return {
                "mouth-corner-puller": 0.9 * amount,
                "mouth-open": 0.1 + part,
                "mouth-part-later": small,
            }
        case "pucker":
            return {"mouth-pursing": 0.8 * amount, "mouth-protusion": small}
        case "talk":
            return {
                "mouth-open": rng.uniform(0.05, 0.45),
                "mouth-part-later": part,
                "mouth-pursing": rng.uniform(0.0, 0.3),
                "mouth-corner-puller": rng.uniform(0.0, 0.3),
            }
        case "down":
            return {"mouth-depression": 0.8 * amount}
        case "press":
            return {"mouth-compression": 0.6 * amount, "mouth-elevation": small}
        case "round":
            return {"mouth-open": rng.uniform(0.2, 0.6), "mouth-pursing": rng.uniform(0.2, 0.6)}
        case _:
            return {}


def from_blendshapes(scores: Mapping[str, float]) -> Expression:
    """Make the rig do what MediaPipe saw a face do.

    Args:
        scores: MediaPipe's 52 blendshape scores, 0..1, by category name; a missing one
            counts as 0. "Left" is the person's left, as on the rig.

    Returns:
        The expression. The factors are our own, tuned by comparing landmarks of photos
        with landmarks of the renderings they drive: MediaPipe understates an open jaw,
        reports half a blink for any lowered lid and a downward gaze for most portraits.
    """

    def score(name: str) -> float:
        return float(scores.get(name, 0.0))

    def both(name: str) -> float:
        return (score(f"{name}Left") + score(f"{name}Right")) / 2

    units: dict[str, float] = {}
    for side, suffix in zip(SIDES, ("Left", "Right"), strict=True):
        blink = score(f"eyeBlink{suffix}")
        units[f"eye-{side}-closure"] = min(1.0, 1.5 * blink**1.2) if blink > 0.35 else 0.0
        units[f"eye-{side}-slit"] = 0.4 * score(f"eyeSquint{suffix}")
        units[f"eye-{side}-opened-up"] = 0.8 * score(f"eyeWide{suffix}")
        units[f"eyebrows-{side}-down"] = 0.8 * max(0.0, score(f"browDown{suffix}") - 0.3)
        units[f"eyebrows-{side}-up"] = 1.1 * score(f"browOuterUp{suffix}")
        units[f"eyebrows-{side}-inner-up"] = 1.1 * score("browInnerUp")
        units[f"nose-{side}-elevation"] = 0.8 * score(f"noseSneer{suffix}")
    units["mouth-corner-puller"] = 1.05 * both("mouthSmile")
    units["mouth-open"] = 1.25 * score("jawOpen")
    units["mouth-part-later"] = 0.9 * max(both("mouthUpperUp"), both("mouthLowerDown"))
    units["mouth-pursing"] = 0.9 * score("mouthPucker")
    units["mouth-protusion"] = 0.5 * score("mouthFunnel")
    units["mouth-depression"] = 0.8 * both("mouthFrown")
    units["mouth-compression"] = 0.6 * both("mouthPress")
    units["mouth-retraction"] = 0.7 * both("mouthStretch")
    left = score("eyeLookOutLeft") - score("eyeLookInLeft")
    right = score("eyeLookInRight") - score("eyeLookOutRight")
    down = both("eyeLookDown") - both("eyeLookUp")
    gaze = ((left + right) / 2 * 28.0, down * 11.0 - 2.0)
    return Expression({name: weight for name, weight in units.items() if weight > 0.01}, gaze)
