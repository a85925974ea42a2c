"""The panel as a sink."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from stream.frame import Frame
from stream.health import Health
from stream.web.broadcast import Broadcast


class WebPanel:
    """Shows frames in browsers.

    The server is there before the first frame and after the last one, so entering and
    leaving change nothing.
    """

    leaky = True

    def __init__(self, broadcast: Broadcast) -> None:
        """Takes what the server shows pictures with."""
        self._broadcast = broadcast

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The last picture stays to be seen."""

    def write(self, frame: Frame) -> None:
        """Makes this the newest picture; encodes it if a browser waits for one."""
        self._broadcast.show(frame)

    def health(self) -> Mapping[str, Health]:
        """One entry: how many browsers watch, and how many pictures they got together."""
        viewers = self._broadcast.viewers
        watched = "nobody watches" if not viewers else f"{viewers} watching"
        return {"web": Health("running", watched, sent=self._broadcast.sent)}
