"""When a swapped face gives way to the picture: extreme turns, the ends of a track.

Every fade shows the person in front of the camera again. So each one is off by default, and
whoever must not be seen in a live stream leaves them off: what cannot be swapped well is still
swapped. They are for edited films, where a good cut is worth more than a covered face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import EngineError
from engine.face import Face


@dataclass(frozen=True, slots=True)
class FadeSettings:
    """What makes a swapped face transparent; the defaults never do.

    Attributes:
        yaw_deg: a face turned further than the first angle begins to fade, at the second one
            it is gone; 180 is never. The angle is `Face.yaw_deg`, an estimate from the
            landmarks that is good up to about 50 degrees and grows on beyond.
        in_frames: a new track appears over so many frames.
        out_frames: a face that is not found any more disappears over so many frames, where it
            was last. It is never shown for longer than the tracker holds it
            (`TrackSettings.hold_s`), so a fade that takes longer is cut off.

    Raises:
        EngineError: angles that are not two from 0 to 180 in order, or a number below 0.
    """

    yaw_deg: tuple[float, float] = (180.0, 180.0)
    in_frames: int = 0
    out_frames: int = 0

    def __post_init__(self) -> None:
        if len(self.yaw_deg) != 2 or not 0.0 <= self.yaw_deg[0] <= self.yaw_deg[1] <= 180.0:
            raise EngineError(
                f"yaw_deg is {list(self.yaw_deg)}; expected where the fade begins and where it "
                "ends, from 0 to 180, such as [50, 70]"
            )
        for name in ("in_frames", "out_frames"):
            if not 0 <= getattr(self, name) <= 1000:
                raise EngineError(
                    f"{name} is {getattr(self, name)!r}; expected a number from 0 to 1000"
                )


def opacity(face: Face, settings: FadeSettings) -> float:
    """How much of a swapped face is left: 1 is all of it, 0 none.

    The least of all fades counts. The one over an angle is smooth, as faces turn slowly
    where they come to rest.
    """
    start, end = settings.yaw_deg
    turn = abs(face.yaw_deg)
    if turn <= start or math.isnan(turn):
        turned = 1.0
    elif turn >= end:
        turned = 0.0
    else:
        left = (end - turn) / (end - start)
        turned = left * left * (3.0 - 2.0 * left)
    appeared = (face.age + 1) / (settings.in_frames + 1)
    lost = 1.0 - face.held / (settings.out_frames + 1) if settings.out_frames else 1.0
    return max(min(turned, appeared, lost, 1.0), 0.0)
