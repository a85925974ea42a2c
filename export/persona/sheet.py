"""A contact sheet of Maro Venn: turned, lit and with several expressions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from engine.face import Image
from export.persona.bust import Bust
from export.persona.expressions import Expression
from export.persona.light import Light, direction, sphere, studio
from export.persona.maro import maro_venn
from export.persona.render import Renderer
from export.persona.rig import Rig, head_rotation
from export.persona.scene import View
from export.persona.shaders import AMBIENT_LIGHTS, KEY_LIGHTS

CELL = 256
_BOTH_EYES_CLOSED = {"eye-left-closure": 1.0, "eye-right-closure": 1.0}
_BROWS_UP = {"eyebrows-left-up": 0.9, "eyebrows-right-up": 0.9}


class _Shot(NamedTuple):
    """One picture of the sheet; degrees, and the light's azimuth or None for the studio."""

    pose: tuple[float, float, float]
    units: Mapping[str, float]
    gaze: tuple[float, float] = (0.0, 0.0)
    azimuth: float | None = None


_SHOTS = (
    _Shot((0, 0, 0), {}),
    _Shot((0, 2, 3), {"mouth-corner-puller": 0.8, "mouth-part-later": 0.5}),
    _Shot((-35, 0, 0), {"mouth-corner-puller": 0.3}, gaze=(8, 0)),
    _Shot((35, 4, 0), {}, gaze=(-8, 0)),
    _Shot((50, 0, 0), {"mouth-part-later": 0.3}),
    _Shot((0, 0, 0), {"mouth-corner-puller": 0.2}, azimuth=-75),
    _Shot((0, -4, -4), {"mouth-open": 0.55, "mouth-part-later": 0.4, **_BROWS_UP}),
    _Shot((10, 8, 0), _BOTH_EYES_CLOSED),
    _Shot((-12, 0, 6), {"mouth-pursing": 0.7, "mouth-open": 0.1}, gaze=(18, 0)),
    _Shot((0, 20, 0), {"mouth-corner-puller": 0.9, "mouth-open": 0.25}, gaze=(0, -12)),
    _Shot((0, -20, 0), {}, gaze=(0, 10)),
    _Shot((20, 0, 0), {"eyebrows-left-up": 0.8, "mouth-corner-puller": 0.4}, azimuth=80),
)


def make_sheet(assets: Path, out: Path, columns: int = 6) -> None:
    """Write the sheet as a picture file; the format follows the file's suffix."""
    rig = Rig(assets, lowest=2.6)
    maro = maro_venn(rig)
    bust = Bust(rig, maro, (70, 74, 84))
    view = View(np.eye(3), maro.pivot(rig), distance=12.0, height=3.3, shift=(0.0, 0.05))
    renderer = Renderer(CELL * 2, CELL * 2, reach=3.0)
    ramp = np.linspace(0.62, 0.4, CELL * 2, dtype=np.float32)[:, None, None]
    backdrop = np.asarray(np.ones((1, CELL * 2, 3), np.float32) * ramp, np.float32)
    cells: list[Image] = []
    for shot in _SHOTS:
        turn = head_rotation(*shot.pose)
        light = studio() if shot.azimuth is None else _from_one_side(shot.azimuth)
        parts = bust.turned(maro.parts(rig, Expression(shot.units, shot.gaze)), turn)
        rendering = renderer.render(parts, view, light)
        large = rendering.over(backdrop)
        cell = cv2.resize(large, (CELL, CELL), interpolation=cv2.INTER_AREA)
        cells.append(np.asarray(cell, np.uint8))
    rows = [np.hstack(cells[first : first + columns]) for first in range(0, len(cells), columns)]
    cv2.imwrite(str(out), np.vstack(rows))


def _from_one_side(azimuth_deg: float) -> Light:
    keys = [direction(azimuth_deg + step * 6, 15 + step * 8) for step in range(KEY_LIGHTS)]
    return Light(
        sphere(AMBIENT_LIGHTS),
        np.full((AMBIENT_LIGHTS, 3), 0.3 / AMBIENT_LIGHTS),
        np.array(keys),
        np.full((KEY_LIGHTS, 3), 1.5 / KEY_LIGHTS),
    )
