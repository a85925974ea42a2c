"""The log of a training: log.csv, one value a row, so that terms may come and go.

Any table program reads it, and so does
`pandas.read_csv("log.csv").pivot_table(values="value", index="images", columns="name")`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

from export.errors import TrainingError
from export.replacing import replacing


class Entry(NamedTuple):
    """A row of the log.

    Attributes:
        step: steps done.
        seconds: time trained, over all resumed runs.
        images: samples seen, of both sides.
        name: of the value, such as "l1" or "val_ssim_b".
        value: of a loss, smoothed over about fifty steps.
    """

    step: int
    seconds: float
    images: int
    name: str
    value: float


NAME: Final = "log.csv"


class Journal:
    """Appends to the log of a training.

    Args:
        folder: of the training, which exists.
        step: where the training goes on. Later rows are dropped: an interrupted run wrote
            them after its last checkpoint, and they are about to be repeated.

    Attributes:
        path: of the log.

    Raises:
        TrainingError: the log is not one of ours.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.path = path = folder / NAME
        entries = [entry for entry in read_log(path) if entry.step <= step] if step else []
        with replacing(path) as part, part.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Entry._fields)
            writer.writerows(entries)
        self._file = path.open("a", newline="")
        self._writer = csv.writer(self._file)

    def write(self, step: int, seconds: float, images: int, values: Mapping[str, float]) -> None:
        """Add values of one moment; they are on disk when this returns."""
        for name, value in values.items():
            self._writer.writerow(
                Entry(step, round(seconds, 1), images, name, float(f"{value:.6g}"))
            )
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_log(path: Path) -> list[Entry]:
    """Read a log; a last row that was cut off is left out.

    Returns:
        All rows in their order; none if there is no such file.

    Raises:
        TrainingError: the file is no log of a training.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if header != list(Entry._fields):
        raise TrainingError(
            f"{path} begins with {','.join(header)!r}, expected {','.join(Entry._fields)!r}; "
            "move it away"
        )
    entries = []
    for number, row in enumerate(rows, start=2):
        try:
            step, seconds, images, name, value = row
            entries.append(Entry(int(step), float(seconds), int(images), name, float(value)))
        except ValueError as error:
            if number == len(rows) + 1:
                break
            raise TrainingError(f"{path}, line {number}: {error}; move the file away") from error
    return entries
