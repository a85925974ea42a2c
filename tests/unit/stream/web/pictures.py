"""Small frames."""

from __future__ import annotations

import numpy as np

from stream.frame import Frame


def frame(seq: int, *, original: bool = False, held: bool = False) -> Frame:
    image = np.full((16, 16, 3), 10 * seq, np.uint8)
    return Frame(image, seq, seq, seq, original=image if original else None, held=held)
