"""What MediaPipe reports becomes what the rig does."""

from __future__ import annotations

import numpy as np
import pytest

from export.persona.expressions import Expression, from_blendshapes, random_expression


def test_a_face_at_rest_needs_no_unit() -> None:
    assert from_blendshapes({}).units == {}


def test_an_open_jaw_opens_the_mouth_more_than_reported() -> None:
    assert from_blendshapes({"jawOpen": 0.4}).units == {"mouth-open": pytest.approx(0.5)}


@pytest.mark.parametrize(("score", "closes"), [(0.3, False), (0.4, True), (0.9, True)])
def test_a_lowered_lid_is_a_blink_only_above_a_threshold(score: float, *, closes: bool) -> None:
    units = from_blendshapes({"eyeBlinkLeft": score}).units
    assert ("eye-left-closure" in units) == closes
    assert "eye-right-closure" not in units


def test_closed_eyes_are_closed_but_not_more() -> None:
    assert from_blendshapes({"eyeBlinkRight": 1.0}).units["eye-right-closure"] == 1.0


def test_looking_to_the_persons_left_turns_both_eyes_there() -> None:
    left = from_blendshapes({"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5})
    right = from_blendshapes({"eyeLookInLeft": 0.5, "eyeLookOutRight": 0.5})
    assert left.gaze_deg[0] == pytest.approx(14.0)
    assert right.gaze_deg[0] == pytest.approx(-14.0)


def test_looking_down_is_positive() -> None:
    down = from_blendshapes({"eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0}).gaze_deg[1]
    up = from_blendshapes({"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0}).gaze_deg[1]
    assert down > 5 > -5 > up


def test_an_expression_names_its_targets_in_full() -> None:
    assert list(Expression({"mouth-open": 1.0}).targets()) == [
        "expression/units/caucasian/mouth-open"
    ]


def test_random_expressions_are_varied_bounded_and_repeatable() -> None:
    drawn = [random_expression(np.random.default_rng(seed)) for seed in range(200)]
    again = [random_expression(np.random.default_rng(seed)) for seed in range(200)]
    assert drawn == again
    weights = [weight for expression in drawn for weight in expression.units.values()]
    assert 0 <= min(weights) <= max(weights) <= 1
    for unit, share in (("mouth-open", 0.25), ("eye-left-closure", 0.1), ("mouth-pursing", 0.1)):
        assert sum(unit in expression.units for expression in drawn) > share * len(drawn)
