"""How old pictures are when a sink has written them, by the stamps that they carry."""

from __future__ import annotations

from engine.face import Image
from stream import stamp
from stream.report import Percentiles, Samples, StampReport


class StampMeter:
    """Reads the stamps of the pictures that one sink writes; one thread adds them."""

    def __init__(self) -> None:
        self._ages = Samples()
        self._unreadable = 0

    def add(self, image: Image, written_ns: int) -> None:
        """Read a picture that was written at a monotonic time."""
        stamp_ms = stamp.read(image)
        if stamp_ms is None:
            self._unreadable += 1
        else:
            self._ages.add(stamp.age_ns(stamp_ms, written_ns))

    def report(self) -> StampReport:
        """What was read so far; any thread may ask."""
        age_ms = Percentiles(*self._ages.percentiles_ms(50, 95, 99))
        return StampReport(self._ages.count, self._unreadable, age_ms)
