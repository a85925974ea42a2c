from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream.errors import ConfigError
from stream.frame import AudioPacket, Frame
from stream.gate import Gate, GateSettings
from stream.slate import slate

MS = 1_000_000
FRAME = Frame(np.full((90, 160, 3), 77, np.uint8), 0, 0, 0, audio=(AudioPacket(b"a", 0, 0, 1),))


class Clock:
    def __init__(self) -> None:
        self.ns = 5_000 * MS

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(GateSettings(patience_s=0.5, hold_s=2.0, held_rate_hz=10), clock)


def test_waits_for_ever_before_the_first_frame(gate: Gate) -> None:
    assert gate.patience_s() is None


def test_frames_pass_unchanged(gate: Gate, clock: Clock) -> None:
    assert gate(FRAME) is FRAME
    assert gate.patience_s() == 0.5
    clock.ns += 100 * MS
    assert gate.patience_s() == pytest.approx(0.4)
    later = replace(FRAME, pts_ns=40 * MS)
    assert gate(later) is later
    assert gate.held == 0


def test_last_picture_is_repeated_without_its_sound_and_faces(gate: Gate, clock: Clock) -> None:
    gate(FRAME)
    clock.ns += 500 * MS
    held = gate(None)
    assert held.held
    assert held.image is FRAME.image
    assert held.audio == ()
    assert held.faces == ()
    assert held.pts_ns == 500 * MS
    assert gate.patience_s() == pytest.approx(0.1)
    clock.ns += 100 * MS
    assert gate(None).pts_ns == 600 * MS
    assert gate.held == 2


def test_slate_takes_over_until_a_picture_comes(gate: Gate, clock: Clock) -> None:
    gate(FRAME)
    clock.ns += 2_000 * MS
    first = gate(None)
    assert first.image.shape == FRAME.image.shape
    assert not np.array_equal(first.image, FRAME.image)
    clock.ns += 100 * MS
    assert gate(None).image is first.image, "made once"
    fresh = replace(FRAME, pts_ns=2_500 * MS)
    assert gate(fresh) is fresh
    clock.ns += 500 * MS
    assert gate(None).image is fresh.image, "held anew"


def test_time_keeps_rising_when_the_source_comes_back_behind_it(gate: Gate, clock: Clock) -> None:
    gate(FRAME)
    clock.ns += 700 * MS
    held = gate(None)
    back = gate(replace(FRAME, pts_ns=600 * MS))
    assert back.pts_ns == held.pts_ns + 1
    assert gate(replace(FRAME, pts_ns=900 * MS)).pts_ns == 900 * MS


@pytest.mark.parametrize("size", [(16, 16), (160, 120), (720, 1280), (3840, 2160)])
def test_slate_fits_any_size(size: tuple[int, int]) -> None:
    image = slate(*size)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8
    if min(size) > 100:
        ink = np.argwhere(image.max(2) > 150)
        top, left = ink.min(0)
        bottom, right = ink.max(0)
        assert top > 0
        assert left > 0
        assert bottom < size[1] - 1
        assert right < size[0] - 1
        assert abs((left + right) / 2 - size[0] / 2) < 0.02 * size[0] + 2


@pytest.mark.parametrize(
    "wrong", [{"patience_s": 0.0}, {"held_rate_hz": -1.0}, {"hold_s": float("nan")}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        GateSettings(**wrong)
