"""Files that are replaced whole: whoever reads one sees the old or the new one, never half."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Let a file be written next to `path`; it takes its place when the block is left well.

    Args:
        path: file to replace, which need not exist; its folder has to.

    Yields:
        Where to write: a hidden file, which is no picture to those who list a folder. It is
        gone afterwards, whatever happens.

    Raises:
        OSError: it cannot be written or cannot take the place of `path`, which is as it was.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        # A write that fails does not know the name of its file.
        error.filename = error.filename or str(path)
        raise
    finally:
        part.unlink(missing_ok=True)
