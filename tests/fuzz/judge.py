"""Has inputs read by child processes, and finds out which one a process died of."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

LIMIT_S = 60.0
"""For one input, or for loading what reads it; proves that nothing hangs on a busy machine."""

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input.

    Attributes:
        kind, number: which one it was.
        outcome: `read` and `refused` are as it should be.
        message: of the refusal or the fault.
        peak_mib: the reading process's highest resident memory so far.
    """

    kind: str
    number: int
    outcome: Literal["read", "refused", "fault", "crash", "hang"]
    message: str
    peak_mib: int = 0

    @property
    def failed(self) -> bool:
        """Whether it is a bug."""
        return self.outcome not in {"read", "refused"}


def judge(wanted: Mapping[str, Sequence[int]]) -> Iterator[Verdict]:
    """Have inputs read, by as many processes one after the other as it takes.

    Args:
        wanted: numbers of the inputs, by kind.
    """
    left = {name: list(numbers) for name, numbers in wanted.items() if numbers}
    while left:
        for verdict in _one_process(left):
            numbers = left[verdict.kind]
            numbers.remove(verdict.number)
            if not numbers:
                del left[verdict.kind]
            yield verdict


def _one_process(wanted: Mapping[str, list[int]]) -> Iterator[Verdict]:
    with subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        last_words: list[str] = []
        drains = [
            threading.Thread(target=_pass_on, args=(child.stdout, lines)),
            threading.Thread(target=_keep_last, args=(child.stderr, last_words)),
        ]
        for drain in drains:
            drain.start()
        try:
            child.stdin.write(json.dumps(wanted))
            child.stdin.close()
            yield from _verdicts(child, lines, last_words, next(iter(wanted)))
        finally:
            child.kill()
            for drain in drains:
                drain.join()


def _verdicts(
    child: subprocess.Popen[str],
    lines: queue.SimpleQueue[str],
    last_words: list[str],
    loading: str,
) -> Iterator[Verdict]:
    begun: tuple[str, int] | None = None
    while True:
        try:
            line = lines.get(timeout=LIMIT_S)
        except queue.Empty:
            if begun is None:
                raise RuntimeError(f"what reads {loading} inputs is not ready") from None
            yield Verdict(*begun, "hang", f"no answer within {LIMIT_S:g} s")
            return
        if not line:
            code = child.wait()
            said = " | ".join(last_words[-20:])
            if begun is not None:
                yield Verdict(*begun, "crash", f"exit code {code}: {said}")
            elif code:
                raise RuntimeError(f"nothing to read {loading} inputs with: {said}")
            return
        values: dict[str, Any] = json.loads(line)
        if "ready" in values:
            loading = values["ready"]
            continue
        if "outcome" not in values:
            begun = values["kind"], values["number"]
            continue
        assert begun is not None, line
        yield Verdict(*begun, values["outcome"], values["message"], values.get("peak_mib", 0))
        begun = None
        if values.get("final"):
            return


def _pass_on(pipe: IO[str], lines: queue.SimpleQueue[str]) -> None:
    for line in pipe:
        lines.put(line)
    lines.put("")


def _keep_last(pipe: IO[str], last: list[str]) -> None:
    for line in pipe:
        last.append(line.rstrip())
        del last[:-50]
