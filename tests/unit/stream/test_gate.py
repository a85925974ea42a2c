from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.face_points import UNIT_LANDMARKS
from engine.face import Face, Swap
from stream.errors import ConfigError
from stream.frame import AudioPacket, Frame
from stream.gate import Gate, GateSettings, OnMiss

MS = 1_000_000
SOUND = (AudioPacket(b"a", 0, 0, 1),)
CENTER = np.array([80.0, 60.0], np.float32)


def face(track: int = 0, *, x: float = 0.0, change: float = 30.0, shown: float = 0.9) -> Face:
    points = (UNIT_LANDMARKS - UNIT_LANDMARKS.mean(0)) / np.ptp(UNIT_LANDMARKS[:, 1]) * 40 + CENTER
    points[:, 0] += x
    swap = Swap(np.zeros((8, 8, 3), np.uint8), None, np.eye(2, 3), change)
    return Face(points.astype(np.float32), track, swap=swap, shown=shown)


def raw(track: int = 0, *, x: float = 0.0) -> Face:
    return replace(face(track, x=x), swap=None, shown=0.0)


def frame(at_ms: int, *faces: Face, value: int | None = None) -> Frame:
    image = np.random.default_rng(at_ms).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    if value is not None:
        image[:] = value
    return Frame(image, at_ms * MS, at_ms // 40, 0, faces, audio=SOUND, original=image)


class Clock:
    def __init__(self) -> None:
        self.ns = 5_000 * MS

    def __call__(self) -> int:
        return self.ns

    def to(self, ms: int) -> None:
        self.ns = (5_000 + ms) * MS


@pytest.fixture
def clock() -> Clock:
    return Clock()


def gate(clock: Clock, on_miss: OnMiss = "auto", *, live: bool = True) -> Gate:
    settings = GateSettings(on_miss, patience_s=0.5, hold_s=2.0, held_rate_hz=10, remember_s=3.0)
    return Gate(settings, live=live, size=(160, 120), clock_ns=clock)


def sent(gate: Gate, clock: Clock, *frames: Frame) -> list[Frame]:
    out = []
    for item in frames:
        clock.to(item.pts_ns // MS)
        out.append(gate(item))
    return out


def is_slate(item: Frame) -> bool:
    return len(np.unique(item.image.reshape(-1, 3), axis=0)) < 300 and item.held


def test_good_frames_pass_as_they_are(clock: Clock) -> None:
    a_gate = gate(clock)
    good = frame(0, face())
    assert sent(a_gate, clock, good) == [good]
    assert a_gate.patience_s() == 0.5
    clock.to(100)
    assert a_gate.patience_s() == pytest.approx(0.4)
    later = frame(140, face(), face(1, x=10))
    assert sent(a_gate, clock, later) == [later]
    assert (a_gate.held, a_gate.withheld, a_gate.unproven) == (0, 0, 0)


UNPROVEN = {
    "not swapped": raw(),
    "gave its input back": face(change=0.4),
    "hardly shown": face(shown=0.2),
    "change is no number": face(change=float("nan")),
    "bystander not covered": replace(face(), bystander=True),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_face_without_proof_is_never_seen(clock: Clock, name: str) -> None:
    a_gate = gate(clock)
    good = frame(0, face())
    bad = [frame(at, UNPROVEN[name]) for at in (40, 80, 1960, 2040, 4000)]
    out = sent(a_gate, clock, good, *bad)
    assert [item.image is good.image for item in out] == [True, True, True, True, False, False]
    assert all(is_slate(item) for item in out[4:])
    assert all(item.original is None for item in out[1:]), "no sink shows it beside the good one"
    assert all(item.audio == SOUND for item in out), "sound goes on"
    assert all(item.pts_ns == was.pts_ns for item, was in zip(out[1:], bad, strict=True))
    assert a_gate.withheld == a_gate.unproven == 5
    again = frame(4040, face())
    assert sent(a_gate, clock, again) == [again]


def test_first_frames_are_a_slate_until_one_is_proven(clock: Clock) -> None:
    a_gate = gate(clock)
    out = sent(a_gate, clock, frame(0), frame(40, raw()), frame(80, face()))
    assert [is_slate(item) for item in out] == [True, True, False]
    assert a_gate.unproven == 1


def test_silence_before_the_first_picture_is_a_slate(clock: Clock) -> None:
    a_gate = gate(clock)
    assert a_gate.patience_s() == 0.5
    clock.to(500)
    slate = a_gate(None)
    assert is_slate(slate)
    assert slate.image.shape == (120, 160, 3)
    assert slate.pts_ns == 0
    assert a_gate.patience_s() == pytest.approx(0.1)
    first = frame(0, face())
    clock.to(520)
    assert a_gate(first).pts_ns == 1


def test_files_wait_for_ever(clock: Clock) -> None:
    assert gate(clock, live=False).patience_s() is None


def test_bystander_that_is_covered_may_be_seen(clock: Clock) -> None:
    good = frame(0, face(), replace(raw(1, x=30), bystander=True, shown=1.0))
    assert sent(gate(clock), clock, good) == [good]
    alone = frame(0, replace(raw(1), bystander=True, shown=1.0))
    assert is_slate(sent(gate(clock), clock, alone)[0])


def test_face_that_vanishes_inside_the_picture_is_missed(clock: Clock) -> None:
    a_gate = gate(clock)
    both = frame(0, face(0, x=-25), face(1, x=25))
    one = [frame(at, face(0, x=-25)) for at in (40, 1900, 2900, 3100)]
    out = sent(a_gate, clock, both, *one)
    assert out[1].image is both.image
    assert out[2].image is both.image
    assert is_slate(out[3])
    assert out[4] is one[3], "after three seconds it is gone"


def test_face_that_leaves_over_the_border_is_not(clock: Clock) -> None:
    a_gate = gate(clock)
    one = frame(40, face(0))
    out = sent(a_gate, clock, frame(0, face(0), face(1, x=68)), one)
    assert out[1] is one


def test_face_that_gets_a_new_number_is_not_missed(clock: Clock) -> None:
    renumbered = frame(40, face(7, x=4))
    assert sent(gate(clock), clock, frame(0, face(0)), renumbered)[1] is renumbered


def test_blur_covers_what_is_not_proven_and_nothing_else(clock: Clock) -> None:
    bad = frame(40, face(0, x=-40), raw(1, x=40))
    before = bad.image.copy()
    out = sent(gate(clock, "blur"), clock, frame(0, face(0, x=-40)), bad)[1]
    assert np.array_equal(bad.image, before), "another sink may hold it"
    changed = (out.image != before).any(axis=2)
    assert not changed[:, :70].any()
    assert changed[50:70, 110:130].mean() > 0.9
    assert not out.held
    missing = sent(gate(clock, "blur"), clock, frame(0, face()), frame(40, face(9, x=50)))[1]
    assert (missing.image != frame(40).image).any(axis=2)[50:70, 70:90].mean() > 0.9
    nobody = sent(gate(clock, "blur"), clock, frame(0))[0]
    assert len(np.unique(nobody.image.reshape(-1, 3), axis=0)) <= 20 * 20


def test_slate_comes_at_once(clock: Clock) -> None:
    out = sent(gate(clock, "slate"), clock, frame(0, face()), frame(40, raw()))
    assert is_slate(out[1])


@pytest.mark.parametrize(("on_miss", "live"), [("pass", True), ("auto", False)])
def test_pass_counts_only(clock: Clock, on_miss: OnMiss, live: bool) -> None:
    a_gate = gate(clock, on_miss, live=live)
    frames = [frame(0, face()), frame(40, raw()), frame(80), frame(3120)]
    assert sent(a_gate, clock, *frames) == frames
    assert a_gate.unproven == 2, "unproven, then missing; later there is nobody"
    assert a_gate.withheld == 0
    assert a_gate.bystanders == 0


@pytest.mark.parametrize("on_miss", ["hold", "blur", "slate", "pass"])
@pytest.mark.parametrize(
    "wrong",
    [
        np.full((120, 160, 3), np.nan),
        np.zeros((120, 160), np.uint8),
        np.zeros((120, 160, 4), np.uint8),
        np.zeros((0, 160, 3), np.uint8),
        None,
    ],
    ids=["float", "gray", "alpha", "empty", "nothing"],
)
def test_what_is_no_picture_never_leaves(clock: Clock, on_miss: OnMiss, wrong: Any) -> None:
    bad = replace(frame(40, face()), image=wrong)
    for frames in ([frame(0, face()), bad], [bad]):
        out = sent(gate(clock, on_miss), clock, *frames)[-1]
        assert out.image.dtype == np.uint8
        assert out.image.ndim == 3
        assert out.image.shape[2] == 3
        assert out.image.size


def test_silence_repeats_the_good_picture_then_the_slate(clock: Clock) -> None:
    a_gate = gate(clock)
    good = frame(0, face())
    sent(a_gate, clock, good)
    clock.to(500)
    held = a_gate(None)
    assert held.held
    assert held.image is good.image
    assert (held.audio, held.faces, held.original) == ((), (), None)
    assert held.pts_ns == 500 * MS
    assert a_gate.patience_s() == pytest.approx(0.1)
    clock.to(2000)
    slate = a_gate(None)
    assert is_slate(slate)
    assert slate.image.shape == good.image.shape
    clock.to(2100)
    assert a_gate(None).image is slate.image, "made once"
    fresh = frame(2500, face())
    assert sent(a_gate, clock, fresh) == [fresh]
    clock.to(3000)
    assert a_gate(None).image is fresh.image, "held anew"
    assert a_gate.held == 4


def test_silence_after_a_bad_frame_does_not_show_it(clock: Clock) -> None:
    a_gate = gate(clock)
    good = frame(0, face())
    sent(a_gate, clock, good, frame(40, raw()))
    clock.to(600)
    assert a_gate(None).image is good.image
    clock.to(2600)
    assert is_slate(a_gate(None))


def test_time_keeps_rising_when_the_source_comes_back_behind_it(clock: Clock) -> None:
    a_gate = gate(clock)
    sent(a_gate, clock, frame(0, face()))
    clock.to(700)
    held = a_gate(None)
    clock.to(710)
    assert a_gate(frame(600, face())).pts_ns == held.pts_ns + 1
    assert a_gate(frame(900, face())).pts_ns == 900 * MS


@pytest.mark.parametrize(
    "wrong",
    [
        {"patience_s": 0.0},
        {"held_rate_hz": -1.0},
        {"hold_s": float("nan")},
        {"remember_s": -1.0},
        {"on_miss": "hope"},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        GateSettings(**wrong)
