"""What the user can choose about an extraction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from export.extraction.quality import Limits

Person = int | Literal["auto", "all"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How faces are extracted.

    Attributes:
        size: side of a crop in pixels.
        every: look at every so-manieth frame of a clip.
        limits: which faces are good enough.
        person: track whose faces are taken; `auto` is the longest one of each clip with those
            of the same looks, and the largest face of each picture.
        distance: faces nearer to each other than this (see `choose.appearance`) are
            near-duplicates, of which one stays; 0 keeps all.
        count: take at most so many, those that differ most; None for all.
        duration_s: of a clip or a recording, the frames before this time; None for all.
    """

    size: int = 256
    every: int = 1
    limits: Limits = field(default_factory=Limits)
    person: Person = "auto"
    distance: float = 1.0
    count: int | None = None
    duration_s: float | None = None
