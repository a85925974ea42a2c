"""Faces that were there a moment ago and have vanished inside the picture."""

from __future__ import annotations

from dataclasses import dataclass

from engine.face import Face
from stream.frame import Frame

_BORDER = 0.25
"""A face whose box comes this near to the picture's border, in face widths, may have left."""


@dataclass(frozen=True, slots=True)
class _Seen:
    face: Face
    seen_ns: int


class Missing:
    """Remembers the faces of the last frames, and tells which of them cannot be accounted for.

    A face is accounted for if it is there, if another face now lies where it was, if it was
    last seen at the border, or if it is long gone.
    """

    def __init__(self, remember_ns: int) -> None:
        """Nothing was seen yet.

        Args:
            remember_ns: after so long a face is no longer missed.
        """
        self._remember_ns = remember_ns
        self._seen: dict[int, _Seen] = {}

    def update(self, frame: Frame, now_ns: int) -> list[Face]:
        """Take in a frame.

        Args:
            frame: with its faces.
            now_ns: monotonic time.

        Returns:
            The faces that are missing in it, as they were last seen.
        """
        height, width = frame.image.shape[:2]
        here = {face.track for face in frame.faces}
        self._seen = {
            track: seen
            for track, seen in self._seen.items()
            if track not in here
            and now_ns - seen.seen_ns < self._remember_ns
            and not _at_border(seen.face, width, height)
            and not any(_covers(face, seen.face) for face in frame.faces)
        }
        missing = [seen.face for seen in self._seen.values()]
        self._seen |= {face.track: _Seen(face, now_ns) for face in frame.faces}
        return missing


def _at_border(face: Face, width: int, height: int) -> bool:
    left, top, right, bottom = face.box
    near = _BORDER * (right - left)
    return left < near or top < near or right > width - near or bottom > height - near


def _covers(face: Face, other: Face) -> bool:
    left, top, right, bottom = face.box
    other_left, other_top, other_right, other_bottom = other.box
    x, y = (other_left + other_right) / 2, (other_top + other_bottom) / 2
    return left <= x <= right and top <= y <= bottom
