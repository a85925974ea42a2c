"""Networks small enough to train in a test."""

from __future__ import annotations

from dataclasses import replace

from export.model import LIGHT, ORIGINAL

TINY_LIGHT = replace(
    LIGHT, input_size=32, encoder=(8, 8, 16), code=16, decoder=(16, 8, 8), residual=(1,)
)
"""32 px in and 64 px out, with every kind of layer that `light` has."""

TINY_ORIGINAL = replace(
    ORIGINAL, input_size=16, encoder=(4, 6), code=5, decoder=(4, 3), head_kernel=5
)
