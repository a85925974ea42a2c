"""A head turns on shoulders that stay."""

from __future__ import annotations

import numpy as np
import pytest

from export.persona.bust import turn_head
from export.persona.rig import head_rotation

NECK = np.array([0.0, 6.0, 0.0])


def test_the_head_turns_fully_and_the_shoulders_do_not() -> None:
    head = np.array([(0.0, 0.8, 1.2), (0.0, -0.1, 1.0)])  # nose, chin
    body = np.array([(1.8, -0.7, 0.0), (0.0, -1.5, 0.8)])  # shoulder, chest
    turn = head_rotation(30, 0, 0)
    turned = turn_head(np.concatenate([head, body]) + NECK, NECK, turn)
    assert turned[:2] == pytest.approx(head @ turn.T + NECK)
    assert turned[2:] == pytest.approx(body + NECK)


def test_the_neck_follows_in_part() -> None:
    throat = np.array([(0.0, -0.4, 0.3)]) + NECK
    turned = turn_head(throat, NECK, head_rotation(40, 0, 0))[0]
    angle = np.degrees(np.arctan2(turned[0], turned[2]))
    assert 5 < angle < 35
