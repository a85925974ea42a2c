"""Named sets of settings: what a run starts from before a file or an option changes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

Preset: TypeAlias = Literal["best", "classic-2018", "fast"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
"""`best`: the defaults. `classic-2018`: what the classic converter did by default, a mean shift
of color (adjust_avg_color) inside an inset rectangle behind a large Gaussian (smooth_mask), each
frame for itself; with `--blend poisson` its seamless mode, and with `--mask hull` its other
mask. `fast`: the least that still hides the seam, no matching of light, sharpness or grain."""

_SETTINGS: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        "best": {},
        "classic-2018": {
            "blend.mask": "rect",
            "blend.feather_profile": "smooth_mask",
            "blend.color": "avg",
            "blend.blend": "feather",
            "blend.sharpen": 0.0,
            "blend.grain": 0.0,
            "blend.smooth_frames": 0.0,
        },
        "fast": {
            "blend.mask": "hull",
            "blend.color": "avg",
            "blend.blend": "feather",
            "blend.sharpen": 0.0,
            "blend.grain": 0.0,
            "track.search_calls": 1,
        },
    }
)


def settings(preset: Preset) -> Mapping[str, Any]:
    """Dotted keys of `stream.config.Config` and their values, where they are not the default."""
    return _SETTINGS[preset]
