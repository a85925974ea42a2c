from __future__ import annotations

from hypothesis import settings

# Tests judge results, not the machine: the first example may wait for a compiler, and any of
# them for a busy processor.
settings.register_profile("facestream", deadline=None)
settings.load_profile("facestream")
