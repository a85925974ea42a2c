"""Sound in step with pictures: what came early waits, what is missing is silence."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from stream.timebase import NS_PER_S

Samples: TypeAlias = npt.NDArray[np.int16]
"""(N, 2): left and right."""

RATE = 48_000
"""Samples per second, and ticks of all positions."""

BLOCK = RATE // 50
"""Samples that leave together: 20 ms, as is usual in WebRTC."""

_SILENT = np.zeros((RATE, 2), np.int16)
_JITTER = RATE // 100  # Timestamps may be so far off the count of samples: 10 ms.
_GRACE = RATE // 10  # Sound that is no later than this is waited for.
_LATEST = RATE  # Later sound than this is worthless.
_EARLIEST = 5 * RATE  # What comes earlier than this has another clock.
_REMEMBERED = 500  # Pieces of sound: some ten seconds.

_JUMP_NS = NS_PER_S
_AHEAD_NS = NS_PER_S // 4
_STEADINESS = 16


class SoundLine:
    """Lines sound up by its time and gives it out when its pictures are shown.

    Positions count samples at `RATE` from presentation time 0. Sound leaves in the order of
    time without overlap, as late behind the pictures as the source's sound comes behind them.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._offset_ns: int | None = None
        self._newest_ns = 0
        self._waiting: Samples = _SILENT[:0]
        self._end: int | None = None
        self._silent = True
        self._late: deque[int] = deque(maxlen=_REMEMBERED)

    def shown(self, pts_ns: int, at_ns: int) -> None:
        """Follow the pictures' clock.

        Args:
            pts_ns: presentation time of a picture.
            at_ns: when it was shown, by the monotonic clock.
        """
        offset_ns = pts_ns - at_ns
        if self._offset_ns is None or abs(offset_ns - self._offset_ns) > _JUMP_NS:
            self._offset_ns = offset_ns
            self._late.clear()
        self._offset_ns += (offset_ns - self._offset_ns) // _STEADINESS
        self._newest_ns = pts_ns

    def write(self, position: int, samples: Samples, now_ns: int) -> None:
        """Add sound; what overlaps with sound or silence that is there already is left out.

        Args:
            position: of the first sample.
            samples: kept, not changed.
            now_ns: the monotonic clock.
        """
        now = self._now(now_ns)
        late = now - position
        if not -_EARLIEST <= late <= _LATEST:
            return
        self._late.append(late)
        end = self._fill(position) if self._end is None else self._end
        gap = position - end
        if abs(gap) <= _JITTER and not self._silent:
            gap = 0
        if gap > 0:
            self._fill(end + gap)
        elif gap < 0:
            samples = samples[-gap:]
        if len(samples):
            self._append(samples)
            self._silent = False

    def take(self, now_ns: int) -> list[tuple[int, Samples]]:
        """The blocks whose time has come, each with its position; silence where no sound came.

        Args:
            now_ns: the monotonic clock.
        """
        if self._offset_ns is None:
            return []
        due = self._now(now_ns) - max([0, *self._late])
        end = due if self._end is None else self._end
        if end <= (due if self._silent else due - _GRACE):
            end = self._fill(due)
            self._silent = True
        blocks = []
        while len(self._waiting) >= BLOCK and end - len(self._waiting) <= due:
            blocks.append((end - len(self._waiting), self._waiting[:BLOCK]))
            self._waiting = self._waiting[BLOCK:]
        return blocks

    def _now(self, now_ns: int) -> int:
        """The position that belongs to the picture that is seen now."""
        assert self._offset_ns is not None, "a picture comes first"
        # Without pictures time stands still.
        pts_ns = min(now_ns + self._offset_ns, self._newest_ns + _AHEAD_NS)
        return pts_ns * RATE // NS_PER_S

    def _fill(self, end: int) -> int:
        """Silence up to a position; a jump if that is far."""
        missing = 0 if self._end is None else end - self._end
        if missing > len(_SILENT) or self._end is None:
            self._waiting, self._end = _SILENT[:0], end
        else:
            self._append(_SILENT[:missing])
        return end

    def _append(self, samples: Samples) -> None:
        assert self._end is not None, "filled before"
        self._waiting = np.concatenate([self._waiting, samples])
        self._end += len(samples)
