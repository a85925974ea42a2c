"""A server in a process of its own that tests may kill, freeze and start again."""

from __future__ import annotations

import signal
import subprocess
from typing import Generic, Self, TypeVar

Text = TypeVar("Text", str, bytes)


class ServerProcess(Generic[Text]):
    """Runs from entering to leaving; who derives from it says how it starts."""

    _process: subprocess.Popen[Text] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Return once it serves."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it as a power cut would: connections are just cut."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is read or sent any more."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(number)
