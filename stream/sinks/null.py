"""Nowhere."""

from __future__ import annotations

from typing import Self

from stream.frame import Frame


class NullSink:
    """Takes every frame and keeps nothing: for measuring and for trying things."""

    leaky = False

    def __enter__(self) -> Self:
        return self

    def write(self, frame: Frame) -> None:
        """Forgets the frame."""

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""
