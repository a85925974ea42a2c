"""Synthetic speech with the time of every phoneme, from the system's libespeak-ng."""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.persona.errors import PersonaError

# espeak-ng/speak_lib.h
_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_END, _EVENT_PHONEME = 0, 7


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """Spoken text.

    Attributes:
        samples: (N,) int16, mono.
        rate: samples a second.
        phonemes: start in seconds and espeak's name of each; an empty name is a pause.
    """

    samples: NDArray[np.int16]
    rate: int
    phonemes: tuple[tuple[float, str], ...]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def say(text: str, voice: str, words_per_minute: int = 150) -> Speech:
    """Synthesize speech.

    Args:
        text: what to say.
        voice: of espeak-ng, such as "en-us+f3".
        words_per_minute: 80 to 450.

    Raises:
        PersonaError: libespeak-ng is not installed, or does not know the voice.
    """
    found = ctypes.util.find_library("espeak-ng")
    if found is None:
        raise PersonaError("libespeak-ng was not found; install the system's package espeak-ng")
    library = ctypes.CDLL(found)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise PersonaError(f"espeak-ng knows no voice {voice!r}; see `espeak-ng --voices`")
    for parameter, value in ((_RATE, words_per_minute), (_PITCH, 50), (_RANGE, 60)):
        library.espeak_SetParameter(parameter, value, 0)
    chunks: list[NDArray[np.int16]] = []
    phonemes: list[tuple[float, str]] = []

    def collect(wave: Any, count: int, events: Any) -> int:
        if wave and count:
            chunks.append(np.ctypeslib.as_array(wave, (count,)).astype(np.int16))
        for event in takewhile(lambda event: event.type != _EVENT_END, events):
            if event.type == _EVENT_PHONEME:
                name = bytes(event.id.string).rstrip(b"\0").decode()
                phonemes.append((event.audio_position / 1000, name.strip("_:',|%=")))
        return 0

    callback = _Callback(collect)
    library.espeak_SetSynthCallback(callback)
    spoken = text.encode()
    library.espeak_Synth(spoken, len(spoken) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return Speech(np.concatenate(chunks), int(rate), tuple(phonemes))
