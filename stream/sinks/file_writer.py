"""A file that FFmpeg writes, without holding up everybody else."""

from __future__ import annotations

import io
from pathlib import Path


class FileWriter:
    """What PyAV takes in place of a file's name.

    PyAV holds the GIL while FFmpeg writes the beginning and the end of a file, whose last pictures
    are among it: on a disk that is slow, or stuck, the whole program would wait. Python gives the
    GIL away while it writes itself.

    Attributes:
        name: the path, whose ending tells FFmpeg the format.
    """

    def __init__(self, path: Path) -> None:
        """Touch nothing yet.

        Args:
            path: replaced by `open` if it exists.
        """
        self.name = str(path)
        self._file: io.FileIO | None = None

    def open(self) -> None:
        """Make the file, or empty it; before anything is written.

        Raises:
            OSError: it cannot be made.
        """
        self._file = io.FileIO(self.name, "w")

    def write(self, data: bytes) -> int:
        """Write all of it; returns how much that was.

        Raises:
            OSError: the disk is full.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self._opened.write(rest) :]
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        """As of any file; returns the new position."""
        return self._opened.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._opened.tell()

    def close(self) -> None:
        """Close it, once or again.

        Raises:
            OSError: what was written has not arrived (network file systems tell only here).
        """
        if self._file is not None:
            self._file.close()

    @property
    def _opened(self) -> io.FileIO:
        assert self._file is not None, "written before it was opened"
        return self._file
