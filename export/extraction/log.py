"""The log of all faces that were ever found, so that none has to be looked for twice.

JSON lines, only ever appended to. A line that a crash or a full disk cut off is left out when
the log is read and cut away before more is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from export.errors import ExtractionError
from export.extraction.found import Found

VERSION: Final = 1
_FORMAT = "facestream detections"


@dataclass(slots=True, eq=False)
class Entry:
    """What is known of one source.

    Attributes:
        url: what was opened.
        label: unique in the log; crops are named by it.
        stamp: size in bytes and time of modification in ns; another one is another content.
        every: only every so-manieth frame was looked at.
        through: last frame that was looked at, -1 for none.
        done: whether that was the last one of the source.
        damage: what was wrong with the source, None for nothing.
        faces: in the order of frames.
    """

    url: str
    label: str
    stamp: tuple[int, int]
    every: int
    through: int = -1
    done: bool = False
    damage: str | None = None
    faces: list[Found] = field(default_factory=list)


class DetectionLog:
    """Reads a log if there is one, and appends to it."""

    def __init__(self, path: Path) -> None:
        """Read what is there.

        Args:
            path: JSON lines; need not exist yet.

        Raises:
            ExtractionError: it is something else, of another version, or cannot be read.
        """
        self._path = path
        self._entries: dict[str, Entry] = {}
        self._labels: dict[str, Entry] = {}
        self._length = 0
        self._read()

    def entry(self, url: str, stem: str, stamp: tuple[int, int], every: int) -> Entry:
        """What is known of a source; a new entry if that is nothing, or of other content.

        Args:
            url: what identifies the source.
            stem: name for its crops; numbered if another source has it already.
            stamp: see `Entry`.
            every: the frames that are needed; those that were looked at may be more.
        """
        known = self._entries.get(url)
        if known and known.stamp == stamp and every % known.every == 0:
            return known
        label = known.label if known else self._free(stem)
        entry = Entry(url, label, stamp, every)
        self._write([{"source": url, "label": label, "stamp": list(stamp), "every": every}])
        self._take_in(entry)
        return entry

    def add(self, entry: Entry, faces: Sequence[Found], through: int) -> None:
        """Note the faces of all frames up to number `through`."""
        lines: list[dict[str, Any]] = [
            {"label": entry.label, "face": face.to_json()} for face in faces
        ]
        self._write([*lines, {"label": entry.label, "through": through}])
        entry.faces += faces
        entry.through = through

    def finish(self, entry: Entry, damage: str | None) -> None:
        """Note that a source has no more frames."""
        self._write([{"label": entry.label, "done": True, "damage": damage}])
        entry.done, entry.damage = True, damage

    def _free(self, stem: str) -> str:
        label, number = stem, 1
        while label in self._labels:
            number += 1
            label = f"{stem}-{number}"
        return label

    def _take_in(self, entry: Entry) -> None:
        self._entries[entry.url] = self._labels[entry.label] = entry

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        values = list(lines) if self._length else [{"format": _FORMAT, "version": VERSION}, *lines]
        data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in values).encode()
        try:
            with self._path.open("ab") as file:
                file.truncate(self._length)
                file.write(data)
        except OSError as error:
            raise ExtractionError(
                f"{self._path}: cannot be written: {error.strerror or error}; what was found "
                "before is kept, run the same command again to go on"
            ) from error
        self._length += len(data)

    def _read(self) -> None:
        if not self._path.exists():
            return
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise ExtractionError(f"{self._path}: cannot be read: {error.strerror}") from error
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        if not lines:
            return
        number, end, waiting = 1, len(lines[0]), list[Found]()
        try:
            _check_header(json.loads(lines[0]))
            self._length = end
            for number, line in enumerate(lines[1:], 2):  # noqa: B007  # for the message
                end += len(line)
                values = json.loads(line)
                if "face" in values:
                    waiting.append(Found.from_json(values["face"]))
                    continue
                self._replay(values, waiting)
                waiting = []
                # Faces that no line with their last frame follows may be incomplete.
                self._length = end
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ExtractionError(
                f"{self._path}: line {number} is not what version {VERSION} of this program "
                f"writes ({error}); move the file away to find all faces anew"
            ) from error

    def _replay(self, line: dict[str, Any], faces: list[Found]) -> None:
        label = str(line["label"])
        if "source" in line:
            size, modified_ns = line["stamp"]
            entry = Entry(str(line["source"]), label, (size, modified_ns), int(line["every"]))
            self._take_in(entry)
        elif "through" in line:
            self._labels[label].faces += faces
            self._labels[label].through = int(line["through"])
        else:
            self._labels[label].done = bool(line["done"])
            self._labels[label].damage = line["damage"]


def _check_header(header: dict[str, Any]) -> None:
    if header.get("format") != _FORMAT or header.get("version") != VERSION:
        raise ValueError(f"got {str(header)[:80]}, expected {_FORMAT!r} of version {VERSION}")
