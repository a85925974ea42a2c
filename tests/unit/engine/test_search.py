"""Which parts of a frame are searched, and what is believed of the findings."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.roi import face_size
from engine.search import Region, Search, tiles
from tests.marked_faces import MarkDetector, mark, marked_center, scene

MILLISECOND = 1_000_000


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (720, 1280), (480, 480), (641, 17), (1, 1), (3, 200)]
)
def test_tiles_lie_inside_and_leave_no_pixel_out(width: int, height: int) -> None:
    scales: dict[int, np.ndarray] = {}
    for tile in tiles(width, height):
        side = tile.right - tile.left
        assert side == tile.bottom - tile.top
        assert 0 <= tile.left < tile.right <= width
        assert 0 <= tile.top < tile.bottom <= height
        covered = scales.setdefault(side, np.zeros((height, width), bool))
        covered[tile.top : tile.bottom, tile.left : tile.right] = True
    assert all(covered.all() for covered in scales.values())
    assert Region(0, 0, width, height) not in tiles(width, height)


def test_neighboring_tiles_share_a_third_of_their_side() -> None:
    largest = [tile for tile in tiles(1280, 720) if tile.bottom - tile.top == 360]
    lefts = sorted({tile.left for tile in largest})
    assert max(b - a for a, b in pairwise(lefts)) <= 360 * 2 / 3 + 1


def find(search: Search, image: np.ndarray, calls: int = 1, time_ms: int = 0) -> list[np.ndarray]:
    return search.find(image, [], 5, calls, time_ms * MILLISECOND)


def test_a_face_is_found_where_it_is() -> None:
    image = mark(scene(720, 1280), 1, (900.0, 300.0), 200.0, angle_deg=20)
    (face,) = find(Search(MarkDetector(5), MarkDetector(1)), image)
    assert marked_center(face) == pytest.approx((900, 300), abs=2)


def test_a_small_face_is_found_in_a_tile_and_not_in_the_whole_frame() -> None:
    image = mark(scene(360, 640), 0, (500.0, 280.0), 40.0)
    search = Search(MarkDetector(5, min_share=0.15), MarkDetector(1))
    assert not find(search, image, calls=1)
    (face,) = find(search, image, calls=30)
    assert marked_center(face) == pytest.approx((500, 280), abs=1.5)


def test_the_budget_is_kept_and_the_next_frame_goes_on_with_other_tiles() -> None:
    image = mark(scene(360, 640), 0, (500.0, 280.0), 40.0)
    detector = MarkDetector(5, min_share=0.15)
    search = Search(detector, MarkDetector(1))
    for frame in range(1, 30):
        found = find(search, image, calls=3)
        assert len(detector.calls) <= 3 * frame
        if found:
            break
    assert found


def test_known_faces_are_not_found_again() -> None:
    image = mark(mark(scene(), 0, (80.0, 90.0), 60.0), 1, (230.0, 90.0), 60.0)
    search = Search(MarkDetector(5), MarkDetector(1))
    first, second = find(search, image)
    (other,) = search.find(image, [first], 5, 1, 0)
    assert np.allclose(other, second, atol=1)
    assert not search.find(image, [first, second], 5, 40, 0)


def test_no_more_are_looked_for_than_wanted_and_the_larger_goes_first() -> None:
    image = mark(mark(scene(), 0, (80.0, 90.0), 40.0), 1, (230.0, 90.0), 70.0)
    detector = MarkDetector(5)
    (face,) = Search(detector, MarkDetector(1)).find(image, [], 1, 40, 0)
    assert marked_center(face) == pytest.approx((230, 90), abs=1)
    assert len(detector.calls) == 1


def test_what_falls_elsewhere_in_every_crop_is_no_face() -> None:
    image = mark(mark(scene(), 0, (80.0, 90.0), 60.0), 1, (230.0, 90.0), 60.0)
    phantoms = frozenset({1})
    search = Search(MarkDetector(5, phantoms=phantoms), MarkDetector(1, phantoms=phantoms))
    (face,) = find(search, image, calls=40)
    assert marked_center(face) == pytest.approx((80, 90), abs=1)


def test_a_rejected_candidate_costs_nothing_for_a_while() -> None:
    image = mark(scene(), 1, (230.0, 90.0), 60.0)
    verifier = MarkDetector(1, blind=True)
    search = Search(MarkDetector(5), verifier)
    for frame in range(8):
        assert not find(search, image, time_ms=33 * frame)
    assert len(verifier.calls) == 1
    verifier.blind = False
    assert not find(search, image, time_ms=290)
    assert find(search, image, time_ms=340)


def test_a_new_shot_forgets_what_was_rejected() -> None:
    image = mark(scene(), 1, (230.0, 90.0), 60.0)
    verifier = MarkDetector(1, blind=True)
    search = Search(MarkDetector(5), verifier)
    assert not find(search, image)
    verifier.blind = False
    search.restart()
    assert find(search, image)


def test_large_regions_are_shrunk_before_they_are_searched() -> None:
    detector = MarkDetector(5)
    find(Search(detector, MarkDetector(1)), scene(1080, 1920), calls=5)
    assert max(max(size) for size in detector.calls) <= 384
    image = mark(scene(1080, 1920), 2, (700.0, 500.0), 300.0)
    (face,) = find(Search(MarkDetector(5), MarkDetector(1)), image)
    assert face_size(face) == pytest.approx(300, rel=0.03)
