"""The worker process, seen from its parent."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from stream.sinks.publish import worker
from stream.sinks.publish.target import Target
from stream.sinks.publish.worker import END, Message
from stream.sources.failures import without_credentials

_log = logging.getLogger(__name__)

_LINE_LIMIT = 1 << 16


class LostError(Exception):
    """A receiver cannot be served; the message says why, without credentials."""


class Child:
    """Runs `worker.py` for one target; leaving the block ends it, whatever it does."""

    def __init__(self, target: Target) -> None:
        """Starts nothing yet."""
        self._target = target

    async def __aenter__(self) -> Self:
        # Its complaints are for developers; the reason of a failure comes by standard output.
        stderr = None if _log.isEnabledFor(logging.DEBUG) else asyncio.subprocess.DEVNULL
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # Its neighbors are no modules of its own.
                os.fspath(worker.__file__),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                limit=_LINE_LIMIT,
                start_new_session=True,  # Ctrl-C in a terminal is for the parent to handle.
            )
        except OSError as error:
            raise LostError(f"no process for it: {error.strerror}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kill()
        gone, canceled = asyncio.ensure_future(self._gone()), None
        # Whoever is canceled meanwhile: nothing waits for long after a kill, and the loop that is
        # closed next must not find a process that was not reaped.
        while not gone.done():
            try:
                await asyncio.shield(gone)
            except asyncio.CancelledError as again:
                canceled = again
        if canceled is not None:
            raise canceled
        gone.result()

    def _kill(self) -> None:
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                # With its ffmpeg command, whose group it leads. `Process.kill` would look whether
                # it has ended already, and take the status that asyncio is waiting for.
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _gone(self) -> None:
        await self._process.wait()
        self._stdin.close()
        with suppress(OSError):
            await self._stdin.wait_closed()
        await self._stdout.read()

    def send(self, data: bytes) -> None:
        """Writes without waiting; the sender bounds what may be under way."""
        self._stdin.write(data)

    def end(self) -> None:
        """Tells it that nothing more comes: it finishes, says so and exits."""
        self.send(Message(END).packed())

    async def expect(self, word: str, timeout_s: float | None) -> None:
        """Waits for one word.

        Raises:
            LostError: something else came, or nothing in time.
        """
        try:
            line = await asyncio.wait_for(self._stdout.readline(), timeout_s)
        except TimeoutError:
            raise LostError(f"no answer within {timeout_s:g} s") from None
        if line.strip() != word.encode():
            raise await self._failure(line)

    async def sent(self) -> bool:
        """Waits for the answer to a packet; False at the end.

        Raises:
            LostError: it failed.
        """
        line = await self._stdout.readline()
        if line == b"sent\n":
            return True
        if line == b"ended\n":
            return False
        raise await self._failure(line)

    async def _failure(self, line: bytes) -> LostError:
        words = line.decode(errors="replace").removeprefix("failed").strip()
        if not words:
            status = await self._process.wait()
            words = f"its process ended with status {status}"
        # FFmpeg names URLs in full.
        return LostError(without_credentials(words.replace(self._target.url, self._target.name)))
