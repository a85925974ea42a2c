"""`python -m engine.execution.build MODEL`: build TensorRT's engine of a model into the cache.

A process of its own: loading holds the GIL, and an engine takes minutes.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from pathlib import Path
from typing import Final

import numpy as np

from engine.errors import EngineError
from engine.session import Session

_PR_SET_PDEATHSIG: Final = 1


def main(arguments: list[str]) -> int:
    """Build, and run once; the reason of a failure is the last line on standard error."""
    if sys.platform == "linux":
        # Nobody would stop the build if whoever wants it is killed.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        session = Session(Path(arguments[0]), "tensorrt")
        feeds = {
            name: np.full([size or 1 for size in shape], 0.5, dtype)
            for name, (shape, dtype) in session.inputs.items()
        }
        session.run(list(session.outputs), feeds)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
