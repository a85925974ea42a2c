"""The real pipeline with one stage that sleeps: what a stream does that is too much for it.

`python -m benchmarks.latency.slowed FROM TO REPORT STAGE MS`
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from stream.config import Config
from stream.frame import Frame
from stream.run import Run
from stream.worker import Stage


def main(source: str, target: str, report: Path, stage: str, ms: float) -> None:
    with Run(Config(source=source, out=(target,), mode="live")) as run:
        # The pipeline holds the stage already: its class is what can still be changed.
        kind: Any = type(run.stages[stage])
        kind.__call__ = slower(kind.__call__, ms)
        signal.signal(signal.SIGINT, lambda *_: run.pipeline.stop())
        result = run.pipeline.run()
        report.write_text(json.dumps(run.to_json(result)), encoding="utf-8")


def slower(call: Any, ms: float) -> Any:
    """A method of a stage that takes at least so long, without using a processor for it."""

    def slow(self: Stage, frame: Frame) -> Frame | None:
        ends_s = time.monotonic() + ms / 1000
        result: Frame | None = call(self, frame)
        time.sleep(max(ends_s - time.monotonic(), 0))
        return result

    return slow


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
