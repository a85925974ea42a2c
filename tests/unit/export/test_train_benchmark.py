from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.train import _verdicts
from benchmarks.train_runs import Point, run, steps_for
from export.face_folders import FaceFolders
from export.losses import LossWeights
from export.schedule import Rhythm, Schedule
from export.train import Trainer
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT


def test_points_are_read_off_the_curves() -> None:
    original = [Point(0, 0, 0.4, 0.1, 0.1), Point(1000, 60, 0.2, 0.5, 0.5)]
    light = [Point(0, 0, 0.4, 0.1, 0.1), Point(500, 20, 0.2, 0.6, 0.6)]
    tuned = [Point(0, 0, 0.3, 0.2, 0.2), Point(100, 5, 0.2, 0.9, 0.91), Point(200, 9, 0.1, 1, 1)]
    verdicts = _verdicts(original, light, tuned)
    equal = verdicts["equal_images"]
    assert equal["images"] == 500
    assert equal["original"] == {"l1": pytest.approx(0.3), "ssim": pytest.approx(0.3)}
    assert equal["l1_light_over_original"] == pytest.approx(0.667)
    pair = verdicts["new_pair"]
    assert (pair["reached"], pair["seconds"], pair["images"]) == (True, 5, 100)
    against = verdicts["against_original"]
    assert (against["images_of_original"], against["images_from_bundled"]) == (1000, 100)
    assert against["times_fewer_images"] == 10.0
    # Nobody waits for what has not happened: it is said.
    unfinished = _verdicts(original, light, tuned[:1])["against_original"]
    assert unfinished["times_fewer_images"] is None
    assert not _verdicts(original, light, tuned[:1])["new_pair"]["reached"]
    assert steps_for(1000, 32) == 16


def test_a_training_goes_on_where_its_curve_ends(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
        for number in range(20):
            cv2.imwrite(str(tmp_path / side / f"{number:02}.png"), tiny.face(rng))

    def more(steps: int, until: float | None = None) -> list[int]:
        trainer = Trainer(
            TINY_LIGHT,
            tmp_path / "work",
            mode="classic",
            schedule=Schedule(steps=steps),
            rhythm=Rhythm(preview=False, validation_count=2),
            weights=LossWeights(),
        )
        source = FaceFolders(tmp_path / "a", tmp_path / "b", TINY_LIGHT, 2, 0)
        points = run(trainer, source, source.validation(2), until)
        return [point.images for point in points]

    assert more(2) == [0, 8]
    assert more(3) == [0, 8, 12]
    assert more(3) == [0, 8, 12]
    kept = json.loads((tmp_path / "work" / "curve.json").read_text())
    assert [point["images"] for point in kept["points"]] == [0, 8, 12]
    # What is usable is not trained further, neither now nor when it is run again.
    assert more(9, until=-1.0) == [0, 8, 12]
    (tmp_path / "work" / "curve.json").unlink()
    assert more(9, until=-1.0) == [12]
