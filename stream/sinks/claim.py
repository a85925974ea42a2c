"""A file that one run at a time may write."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from stream.errors import SinkError

if sys.platform != "win32":
    import fcntl

_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class Claim:
    """Keeps a file for this run, and what is in it as it is, until there is something to write.

    The lock is advisory and the system's: it ends with the process, however that dies. Windows and
    file systems without locks do without.
    """

    def __init__(self, path: Path) -> None:
        """Make the file if there is none.

        Args:
            path: of the file.

        Raises:
            SinkError: another run writes it.
            OSError: it cannot be opened.
        """
        self._path = path
        while True:
            self._made = not path.exists()
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self.descriptor = os.open(path, flags, 0o666)
            try:
                self._lock()
                if self._is_there():
                    return
            except BaseException:
                os.close(self.descriptor)
                raise
            os.close(self.descriptor)  # Who had it removed it meanwhile.

    def release(self) -> None:
        """Let go of a file that was not written; one that was not there is gone again."""
        try:
            if self._made and self._is_there() and not self._path.stat().st_size:
                self._path.unlink()
        finally:
            os.close(self.descriptor)

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SinkError(
                f"{self._path}: another run is writing this file; choose another name"
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self.descriptor), self._path.stat())
        except FileNotFoundError:
            return False
