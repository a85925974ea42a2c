from __future__ import annotations

import numpy as np
import pytest

from engine.errors import EngineError
from engine.face import Face
from engine.fade import FadeSettings, opacity

POINTS = np.zeros((478, 2), np.float32)


def face(age: int = 50, yaw_deg: float = 0.0, held: int = 0) -> Face:
    return Face(POINTS, 1, age, yaw_deg, None, held)


@pytest.mark.parametrize("yaw_deg", [0.0, -89.0, 179.0, float("nan")])
def test_nothing_fades_by_default(yaw_deg: float) -> None:
    for age, held in ((0, 0), (5, 5)):
        assert opacity(face(age, yaw_deg, held), FadeSettings()) == 1.0


def test_turning_away_fades_smoothly_to_both_sides() -> None:
    settings = FadeSettings(yaw_deg=(40.0, 60.0))
    values = [opacity(face(yaw_deg=yaw), settings) for yaw in range(30, 71)]
    assert values[:11] == [1.0] * 11
    assert values[30:] == [0.0] * 11
    steps = -np.diff(values)
    assert (steps[10:30] > 0.0).all()
    assert steps.max() < 0.08
    assert opacity(face(yaw_deg=-50.0), settings) == opacity(face(yaw_deg=50.0), settings) == 0.5


def test_two_equal_angles_are_a_switch() -> None:
    settings = FadeSettings(yaw_deg=(45.0, 45.0))
    assert [opacity(face(yaw_deg=yaw), settings) for yaw in (45.0, 45.1)] == [1.0, 0.0]


def test_a_new_track_appears() -> None:
    settings = FadeSettings(in_frames=3)
    assert [opacity(face(age), settings) for age in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_a_lost_track_disappears_and_comes_back_at_once() -> None:
    settings = FadeSettings(out_frames=3)
    values = [opacity(face(held=held), settings) for held in (0, 1, 2, 3, 4, 9, 0)]
    assert values == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 1.0]


def test_the_least_counts() -> None:
    settings = FadeSettings(yaw_deg=(40.0, 60.0), in_frames=9)
    assert opacity(face(0, 50.0), settings) == pytest.approx(0.1)
    assert opacity(face(20, 50.0), settings) == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"yaw_deg": (60.0, 50.0)}, "expected where the fade begins"),
        ({"yaw_deg": (60.0,)}, r"yaw_deg is \[60.0\]"),
        ({"yaw_deg": (60.0, 200.0)}, "from 0 to 180"),
        ({"in_frames": -1}, "in_frames is -1"),
        ({"out_frames": 5000}, "0 to 1000"),
    ],
)
def test_bad_settings_say_what_is_allowed(change: dict[str, object], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        FadeSettings(**change)  # type: ignore[arg-type]  # mistakes on purpose
