from __future__ import annotations

from export.progress import describe
from export.schedule import Progress


def test_a_line_says_where_how_fast_and_how_well() -> None:
    progress = Progress(7, 60.0, 0.5, 1e-3, {"l1": 0.1, "total": 0.25}, 123.4, {"val_l1_b": 0.03})
    assert describe(progress) == ("step 7 123 images/s rate 1.0e-03 total 0.2500 val_l1_b 0.0300")
