from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from export.extraction import choose
from export.extraction.quality import Limits
from tests.unit.export.extraction.faked import GOOD, found


def test_a_person_is_the_longest_track_and_those_of_the_same_looks() -> None:
    before = [found(seq, 0) for seq in range(4)]
    after = [replace(found(seq, 0), track=2) for seq in range(10, 13)]
    other = [found(seq, 1) for seq in range(20, 23)]
    assert choose.main_person([*before, *after, *other]) == [0, 2]
    assert choose.main_person([]) == []


def test_two_in_one_frame_are_two_people_however_alike() -> None:
    one = [found(seq, 0) for seq in range(4)]
    twin = [replace(found(seq, 0), track=1) for seq in range(3, 5)]
    assert choose.main_person([*one, *twin]) == [0]


def test_near_duplicates_are_left_out_and_the_sharpest_stays() -> None:
    faces = [found(0), found(1, scores=replace(GOOD, sharpness=0.3)), found(2, shift=0.3)]
    looks = choose.appearance(faces)
    assert choose.distinct(faces, looks, 1.0) == [1, 2]
    assert choose.distinct(faces, looks, 0.0) == [0, 1, 2]


def test_light_does_not_make_a_face_another_one() -> None:
    face = found()
    brighter = replace(face, thumbnail=np.asarray(face.thumbnail // 2 + 100, np.uint8))
    first, second = choose.appearance([face, brighter])
    assert np.linalg.norm(first - second) < 1.0


def test_the_most_varied_are_chosen_first() -> None:
    looks = np.array([[0.0], [0.1], [5.0], [10.0], [9.9]], np.float32)
    assert choose.spread(looks, 3) == [0, 3, 2]
    assert sorted(choose.spread(looks, 9)) == [0, 1, 2, 3, 4]
    assert choose.spread(looks[:0], 3) == []


def test_reasons_are_counted() -> None:
    faces = [found(), found(scores=replace(GOOD, size_px=1.0)), found(scores=GOOD)]
    good, problems = choose.good_ones(faces, Limits())
    assert good == [faces[0], faces[2]]
    assert problems == Counter({"too small": 1})
