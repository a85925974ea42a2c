from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from export.extraction.sheet import arrange, contact_sheet


@pytest.mark.parametrize("count", [1, 9, 10, 11, 23, 60])
def test_columns_go_by_yaw_and_rows_by_pitch(count: int) -> None:
    rng = np.random.default_rng(count)
    poses = [(float(yaw), float(pitch)) for yaw, pitch in rng.uniform(-60, 60, (count, 2))]
    order = arrange(poses)
    assert sorted(order) == list(range(count))
    columns = [[poses[i] for i in order[start::10]] for start in range(min(count, 10))]
    for left, right in pairwise(columns):
        assert max(yaw for yaw, _ in left) <= min(yaw for yaw, _ in right)
    for column in columns:
        assert column == sorted(column, key=lambda pose: pose[1])


def test_faces_of_any_size_fill_the_sheet_row_by_row() -> None:
    faces = [np.full((size, size, 3), size, np.uint8) for size in (64, *[200] * 11)]
    sheet = contact_sheet(faces)
    assert sheet.shape == (256, 1280, 3)
    assert sheet[64, 64, 0] == 64
    assert sheet[192, 192, 0] == 200
    assert sheet[192, 320, 0] == 32
