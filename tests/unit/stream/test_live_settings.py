from __future__ import annotations

import json
import math
from typing import Any

import pytest

from engine.blend import BlendSettings
from stream.errors import ConfigError
from stream.live_settings import LiveSettings, models_on_offer

OFFER = ("maro", "mine.onnx")
SETTINGS = LiveSettings(BlendSettings(), faces=1, model="maro")


def test_changes_are_taken_together() -> None:
    changes = {
        "mask": "hull+skin",
        "color": "mkl+light",
        "opacity": 1,
        "faces": 3,
        "model": "mine.onnx",
    }
    changed = SETTINGS.changed(changes, OFFER)
    assert changed.blend == BlendSettings(mask="hull+skin", color="mkl+light", opacity=1.0)
    assert (changed.faces, changed.model) == (3, "mine.onnx")
    assert SETTINGS.changed({}, OFFER) == SETTINGS


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": "hulk"},
        {"mask": 3},
        {"color": "light+lab"},
        {"blend": None},
        {"skin_rule": "blue"},
        {"feather": 0.6},
        {"feather": "0.2"},
        {"feather": True},
        {"opacity": -0.1},
        {"opacity": math.nan},
        {"opacity": math.inf},
        {"faces": 0},
        {"faces": 17},
        {"faces": 1.0},
        {"faces": True},
        {"model": "other.onnx"},
        {"model": "/etc/passwd"},
        {"fade": {}},
        {"feather_profile": "smooth_mask"},
        {"source": "rtsp://x"},
        {"opacity": 0.5, "faces": 99},
    ],
)
def test_anything_else_is_refused_in_one_line(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        SETTINGS.changed(changes, OFFER)
    assert "\n" not in str(caught.value)


def test_description_offers_what_is_accepted() -> None:
    described = SETTINGS.described(OFFER)
    assert json.loads(json.dumps(described)) == described
    for name, entry in described.items():
        offers = entry.get("choices") or [entry["min"], entry["max"]]
        assert entry["value"] in offers or entry["min"] <= entry["value"] <= entry["max"]
        for value in offers:
            changed = SETTINGS.changed({name: value}, OFFER)
            assert changed.described(OFFER)[name]["value"] == value


def test_offers_the_bundled_models_and_the_one_of_the_command_line() -> None:
    assert models_on_offer("maro") == ("maro",)
    assert models_on_offer("x/mine.onnx") == ("x/mine.onnx", "maro")
