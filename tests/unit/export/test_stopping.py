from __future__ import annotations

from export.stopping import Stopping


def values(a: float, b: float) -> dict[str, float]:
    return {"val_ssim_a": a, "val_ssim_b": b, "val_l1_a": 9.0}


def test_the_best_is_the_best_mean_of_both_sides() -> None:
    stop = Stopping()
    assert [
        stop.see(values(*pair)) for pair in [(0.2, 0.4), (0.1, 0.4), (0.3, 0.3), (0.5, 0.2)]
    ] == [
        True,
        False,
        False,
        True,
    ]
    assert stop.best == 0.35
    assert stop.reason() is None


def test_patience_counts_validations_without_a_better_one() -> None:
    stop = Stopping(patience=2)
    reasons = []
    for similarity in (0.5, 0.4, 0.6, 0.6, 0.59):
        stop.see(values(similarity, similarity))
        reasons.append(stop.reason())
    assert reasons == [None] * 4 + ["no better than SSIM 0.6000 in 2 validations"]


def test_the_goal_is_for_the_worse_side() -> None:
    stop = Stopping(until_ssim=0.9)
    stop.see(values(0.99, 0.89))
    assert stop.reason() is None
    stop.see(values(0.9, 0.9))
    assert stop.reason() == "both sides have reached SSIM 0.9"


def test_without_held_out_faces_nothing_is_best() -> None:
    stop = Stopping(patience=1)
    assert not stop.see({})
    assert stop.reason() is None
    assert stop.wanted
    assert not Stopping().wanted
