from __future__ import annotations

import numpy as np
import pytest

from stream.slate import slate


@pytest.mark.parametrize("size", [(16, 16), (160, 120), (720, 1280), (1920, 1080)])
def test_slate_fits_any_size(size: tuple[int, int]) -> None:
    image = slate(*size, "No picture", "The source is being looked for")
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8
    if min(size) < 100:
        return
    ink = np.argwhere(image.max(2) > 100)
    top, left = ink.min(0)
    bottom, right = ink.max(0)
    assert top > 0
    assert left > 0
    assert bottom < size[1] - 1
    assert right < size[0] - 1
    assert abs((left + right) / 2 - size[0] / 2) < 0.02 * size[0] + 2
