"""What can be changed while a stream runs: names, kinds and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from engine import models
from engine.blend import BLENDS, LIMITS, BlendSettings
from engine.color import COLORS, TRANSFERS
from engine.errors import EngineError
from engine.masks import SHAPES, SKIN_METHODS
from engine.track import MOST_FACES
from stream.errors import ConfigError

_MOST_SMOOTHED = 60.0
_COLOR_CHOICES = (*TRANSFERS, *(f"{color}+light" for color in COLORS))


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The values of all settings that can be changed while frames flow.

    Attributes:
        blend: of these, what `described` names.
        faces: how many are swapped at most.
        model: name of a bundled model, or the path that the run was started with.
    """

    blend: BlendSettings
    faces: int
    model: str

    def changed(self, changes: Mapping[str, Any], models_on_offer: tuple[str, ...]) -> LiveSettings:
        """The settings after some changes, all of them or none.

        Args:
            changes: values by the names of `described`, from anywhere: nothing is trusted.
            models_on_offer: a path comes from the command line only.

        Raises:
            ConfigError: an unknown name, or a value of the wrong kind or out of range.
        """
        for name, value in changes.items():
            _check(name, value, models_on_offer)
        blend: dict[str, Any] = {
            name: float(value) if name in LIMITS else value
            for name, value in changes.items()
            if name in _BLEND
        }
        try:
            return LiveSettings(
                blend=replace(self.blend, **blend),
                faces=changes.get("faces", self.faces),
                model=changes.get("model", self.model),
            )
        except EngineError as error:
            raise ConfigError(str(error)) from error

    def described(self, models_on_offer: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """By name: the `value`, its `kind`, and what it may be.

        Kinds: `choice` of `choices`; `shapes`, one or more `choices` joined by +; `number` and
        `integer` from `min` to `max` in steps of `step`.
        """
        numbers = {
            name: _number(getattr(self.blend, name), min(limit, _MOST_SMOOTHED))
            for name, limit in LIMITS.items()
        }
        return {
            "model": _choice(self.model, models_on_offer),
            "faces": _number(self.faces, MOST_FACES, kind="integer", least=1, step=1),
            "mask": _choice(self.blend.mask, SHAPES, kind="shapes"),
            "skin_rule": _choice(self.blend.skin_rule, SKIN_METHODS),
            "color": _choice(self.blend.color, _COLOR_CHOICES),
            "blend": _choice(self.blend.blend, BLENDS),
            **numbers,
        }


_TEXTS = ("mask", "skin_rule", "color", "blend")
_BLEND = (*_TEXTS, *LIMITS)
_NAMES = ("model", "faces", *_BLEND)
assert {field.name for field in fields(BlendSettings)} >= set(_BLEND)


def models_on_offer(started_with: str) -> tuple[str, ...]:
    """The bundled models, and the one that the run was started with."""
    bundled = models.bundled_models()
    return tuple(bundled if started_with in bundled else [started_with, *bundled])


def _choice(
    value: str, choices: tuple[str, ...], kind: Literal["choice", "shapes"] = "choice"
) -> dict[str, Any]:
    return {"value": value, "kind": kind, "choices": list(choices)}


def _number(
    value: float,
    most: float,
    *,
    kind: Literal["number", "integer"] = "number",
    least: float = 0,
    step: float | None = None,
) -> dict[str, Any]:
    step = step or (0.01 if most <= 1 else 1)
    return {"value": value, "kind": kind, "min": least, "max": most, "step": step}


def _check(name: str, value: object, models_on_offer: tuple[str, ...]) -> None:
    if name not in _NAMES:
        raise ConfigError(f"unknown live setting {name!r}; expected one of {', '.join(_NAMES)}")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in LIMITS:
        if not is_number:
            raise ConfigError(f"{name} is {value!r}; expected a number from 0 to {LIMITS[name]:g}")
    elif name == "faces":
        if not (is_number and isinstance(value, int) and 1 <= value <= MOST_FACES):
            raise ConfigError(f"faces is {value!r}; expected a whole number, 1 to {MOST_FACES}")
    elif not isinstance(value, str):
        raise ConfigError(f"{name} is {value!r}; expected a text")
    elif name == "model" and value not in models_on_offer:
        raise ConfigError(f"model is {value!r}; expected one of {', '.join(models_on_offer)}")
