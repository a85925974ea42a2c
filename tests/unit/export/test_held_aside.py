from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from export.held_aside import held_aside
from tests.unit.export import tiny


def test_held_out_pairs_come_with_their_truth(tmp_path: Path) -> None:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(2, seed=1))
    pairs = tiny.shard(6)
    tiny.write(tmp_path / "holdout-00000.npz", pairs)
    faces = held_aside(tmp_path, 32, 64, 4)
    assert faces.face.shape == (4, 32, 32, 3)
    assert faces.truth is not None
    assert faces.picture.shape == faces.truth.shape == (4, 64, 64, 3)
    # The truth of a tiny pair is its mirrored negative.
    negative = 255 - faces.picture[:, :, ::-1]
    assert np.abs(faces.truth.astype(int) - negative).mean() < 1
    assert faces.landmarks is not None
    # Rows are spread from first to last; the unit square is 1 / 1.25 of what is stored.
    expected = (pairs.a_landmarks[[0, 1, 3, 4]] + 0.5 - 96) / 192 * 1.25 * 64 + 31.5
    np.testing.assert_allclose(faces.landmarks, expected, atol=1e-3)
    assert faces.rendered is not None
    assert faces.rendered.tolist() == [True, False, False, True]
    own = faces.own()
    assert own["a"] is faces
    assert own["b"].picture is faces.truth


def test_pictures_have_no_truth_and_may_be_photographs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), tiny.face(rng))
    faces = held_aside(tmp_path, 32, 64, 2)
    assert len(faces) == 2
    assert faces.truth is None
    assert faces.rendered is None
    assert list(faces.own()) == ["a"]
