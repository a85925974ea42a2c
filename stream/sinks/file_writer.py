"""A file that FFmpeg writes, without holding up everybody else."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

from stream.sinks.claim import Claim


class FileWriter:
    """What PyAV takes in place of a file's name.

    PyAV holds the GIL while FFmpeg writes the beginning and the end of a file, whose last pictures
    are among it: on a disk that is slow, or stuck, the whole program would wait. Python gives the
    GIL away while it writes itself.

    What is written before `begin` is held in memory, so that a file that exists is not lost to a
    run that never gets as far as its first picture.

    Attributes:
        name: the path, whose ending tells FFmpeg the format.
    """

    def __init__(self, path: Path) -> None:
        """Touch nothing yet.

        Args:
            path: replaced by `begin` if it exists.
        """
        self.name = str(path)
        self._path = path
        self._claim: Claim | None = None
        self._file: io.BytesIO | io.FileIO = io.BytesIO()

    def claim(self) -> None:
        """Keep other runs from writing the file; what is in it stays.

        Raises:
            SinkError: another run writes it.
            OSError: it cannot be opened.
        """
        self._claim = Claim(self._path)

    def begin(self) -> None:
        """Replace what is in the claimed file by what was written so far; once or again.

        Raises:
            OSError: the disk is full.
        """
        if self._claim is None or not isinstance(self._file, io.BytesIO):
            return
        held, descriptor = self._file, self._claim.descriptor
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.ftruncate(descriptor, 0)
        self._claim, self._file = None, io.FileIO(descriptor, "w")
        self.write(held.getvalue())
        self._file.seek(held.tell())

    def write(self, data: bytes) -> int:
        """Write all of it; returns how much that was.

        Raises:
            OSError: the disk is full.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        """As of any file; returns the new position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def close(self) -> None:
        """Close it, once or again; a claimed file that never began is left as it was found.

        Raises:
            OSError: what was written has not arrived (network file systems tell only here).
        """
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()
        self._file.close()
