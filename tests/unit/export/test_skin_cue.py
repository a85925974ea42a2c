from __future__ import annotations

import numpy as np

from export.skin_cue import skin_maps

SKIN = (120, 150, 205)  # BGR


def portraits() -> np.ndarray:
    """A face with dark eyes on blue, and one that the rule does not know for skin."""
    pictures = np.full((2, 64, 64, 3), (160, 60, 40), np.uint8)
    pictures[0, 8:56, 16:48] = SKIN
    pictures[0, 24:28, 22:27] = pictures[0, 24:28, 37:42] = 20
    pictures[1, 8:56, 16:48] = (35, 45, 60)
    return pictures


def test_skin_is_marked_with_the_eyes_in_it() -> None:
    known, unknown = skin_maps(portraits())
    assert known.shape == (64, 64)
    assert (known[14:50, 22:42] == 255).all()
    assert (known[:, :12] == 0).all()
    assert (unknown == 0).all()


def test_one_picture_does_not_reach_into_the_next() -> None:
    pictures = portraits()
    pictures[0, 40:] = SKIN
    together = skin_maps(pictures)
    for index in range(2):
        np.testing.assert_array_equal(together[index], skin_maps(pictures[index : index + 1])[0])
