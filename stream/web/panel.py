"""What all routes share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from stream.health import Health
from stream.web.bodies import Latency
from stream.web.broadcast import Broadcast
from stream.web.camera import NAME, BrowserCamera
from stream.web.control import Control
from stream.web.rtc import Peers

_NOTHING_YET: dict[str, Any] = {
    "state": "waiting",
    "source": None,
    "sinks": {},
    "recording": None,
    "report": None,
}


@dataclass(slots=True)
class Panel:
    """The parts of one panel.

    Attributes:
        broadcast: its pictures.
        peers: its WebRTC connections.
        camera: the source that browsers send to, None if the source is another one.
        control: the run, None as long as there is none.
        latency: what a browser measured last.
    """

    broadcast: Broadcast
    peers: Peers
    camera: BrowserCamera | None = None
    control: Control | None = None
    latency: Latency | None = None

    def status(self) -> dict[str, Any]:
        """The run's status, and the panel's own as `web`; blocks."""
        status = dict(_NOTHING_YET) if self.control is None else self.control.status()
        camera: Health | None = None
        if self.camera is not None:
            camera = self.camera.health()[NAME]
        return status | {
            "web": {
                "viewers": self.broadcast.viewers,
                "sent": self.broadcast.sent,
                "sound": self.broadcast.audio is not None,
                "camera": None if camera is None else asdict(camera),
                "latency": None if self.latency is None else self.latency.model_dump(),
            }
        }
