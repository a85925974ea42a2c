from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from export import likeness
from export.likeness import Embedder, MissingEmbedderError, distances


def test_distances_go_row_by_row_or_to_one_point() -> None:
    rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert distances(rows, rows).tolist() == [0, 0]
    assert distances(rows, np.zeros(2)).tolist() == [0, 5]


def test_a_missing_embedder_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "find_spec", lambda _: None)
    with pytest.raises(MissingEmbedderError, match=r"pip install 'facestream\[report\]'"):
        Embedder()


@pytest.mark.skipif(find_spec("dlib") is None, reason="needs the extra 'report'")
def test_the_same_face_is_near_and_a_changed_one_is_not() -> None:
    face = cv2.resize(cv2.imread(str(Path(__file__).parents[2] / "data" / "face.jpg")), (128, 128))
    faces = np.stack([face, cv2.convertScaleAbs(face, alpha=0.9), face[::-1]])
    one, darker, upside_down = Embedder()(faces)
    assert one.shape == (128,)
    assert distances(one[None], darker)[0] < 0.3
    assert distances(one[None], upside_down)[0] > 0.5
