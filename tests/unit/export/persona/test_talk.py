"""Lips follow phonemes."""

from __future__ import annotations

import numpy as np
import pytest

from export.persona.speech import Speech
from export.persona.talk import MOUTHS, lip_track, mouth_of


@pytest.mark.parametrize(
    ("phoneme", "mouth"),
    [("p", "closed"), ("oU", "round"), ("aI", "wide"), ("tS", "teeth"), ("f", "lip-to-teeth"),
     ("i:", "spread"), ("", "rest"), (";", "rest"), ("w", "pursed"), ("t#", "teeth")],
)  # fmt: skip
def test_phonemes_have_mouths(phoneme: str, mouth: str) -> None:
    assert mouth_of(phoneme) == mouth


def test_lips_open_for_a_vowel_and_close_for_the_next_consonant() -> None:
    silence = np.zeros(22050, np.int16)
    speech = Speech(silence, 22050, ((0.2, "a"), (0.5, "m"), (0.7, "")))
    track = lip_track(speech, np.array([-0.5, 0.32, 0.55, 0.98]))
    before, vowel, consonant, after = track
    assert all(weight == 0 for weight in before.values())
    assert vowel["mouth-open"] == pytest.approx(MOUTHS["wide"]["mouth-open"], rel=0.1)
    assert consonant["mouth-compression"] > 0.4
    assert consonant["mouth-open"] < 0.05
    assert max(after.values()) < 0.01
