"""What changed between two results of the same benchmark, and what is only noise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import click

Verdict = Literal["same", "better", "worse", "changed"]

_SPREAD: Final = {"min", "median", "max"}
_NOT_MEASURED: Final = {"machine", "settings", "question", "roof"}
_MORE_IS_BETTER: Final = frozenset(
    ("fps", "per", "efficiency", "speedup", "psnr", "ssim", "utilization")
)
_LESS_IS_BETTER: Final = frozenset(
    ("ms", "s", "bytes", "megabytes", "mib", "dropped", "failed", "cost")
)
NOISE: Final = 0.05
"""Taken for the spread of a figure that was measured once."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number with its spread; both ends are the number if it was measured once."""

    low: float
    middle: float
    high: float

    @classmethod
    def once(cls, value: float, noise: float) -> Figure:
        """A number without repeats."""
        ends = value * (1 - noise), value * (1 + noise)
        return cls(min(ends), value, max(ends))


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both results; `ratio` is new over old, None if the old one is 0."""

    name: str
    old: float
    new: float
    ratio: float | None
    verdict: Verdict


def figures(result: Mapping[str, Any], noise: float = NOISE) -> dict[str, Figure]:
    """All figures of a result, by dotted name; machine and settings are left out."""
    return dict(_figures(result, noise, ()))


def _figures(value: Any, noise: float, path: tuple[str, ...]) -> Iterator[tuple[str, Figure]]:
    if isinstance(value, Mapping):
        if set(value) >= _SPREAD:
            yield ".".join(path), Figure(value["min"], value["median"], value["max"])
            return
        for key, inner in value.items():
            if not path and key in _NOT_MEASURED:
                continue
            yield from _figures(inner, noise, (*path, str(key)))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield ".".join(path), Figure.once(float(value), noise)


def compare(old: Mapping[str, Any], new: Mapping[str, Any], noise: float = NOISE) -> list[Change]:
    """Every figure that both results have, in the new one's order.

    Figures are the same when their spreads overlap.
    """
    before = figures(old, noise)
    return [
        _change(name, before[name], figure)
        for name, figure in figures(new, noise).items()
        if name in before
    ]


def _change(name: str, old: Figure, new: Figure) -> Change:
    ratio = new.middle / old.middle if old.middle else None
    if new.low <= old.high and old.low <= new.high:
        return Change(name, old.middle, new.middle, ratio, "same")
    direction = _direction(name)
    if direction == 0:
        return Change(name, old.middle, new.middle, ratio, "changed")
    better = (new.middle > old.middle) == (direction > 0)
    return Change(name, old.middle, new.middle, ratio, "better" if better else "worse")


def _direction(name: str) -> int:
    """1 if more is better, -1 if less is, 0 if nobody knows; the last part that tells decides."""
    for part in reversed(name.split(".")):
        words = set(part.split("_"))
        if words & _MORE_IS_BETTER:
            return 1
        if words & _LESS_IS_BETTER:
            return -1
    return 0


def markdown(changes: list[Change], old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """A table of what is not the same, and how much is."""
    same = sum(change.verdict == "same" for change in changes)
    lines = [f"{same} of {len(changes)} figures are the same within their spread."]
    if different := _machine(old, new):
        lines.append(f"Not the same machine: {different}.")
    rows = [change for change in changes if change.verdict != "same"]
    if rows:
        lines += ["", "| figure | old | new | ratio | |", "| --- | ---: | ---: | ---: | --- |"]
        lines += [
            f"| {row.name} | {row.old:.4g} | {row.new:.4g} "
            f"| {'' if row.ratio is None else f'{row.ratio:.2f}'} | {row.verdict} |"
            for row in rows
        ]
    return "\n".join(lines)


def _machine(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = old.get("machine", {}), new.get("machine", {})
    return ", ".join(
        f"{key} was {before[key]}, is {after[key]}"
        for key in ("processor", "threads", "system", "python", "gpu")
        if key in before and key in after and before[key] != after[key]
    )


@click.command()
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--noise", default=NOISE, show_default=True, help="Of figures measured once.")
def against(old: Path, new: Path, noise: float) -> None:
    """What changed from OLD to NEW, two JSON results of one benchmark."""
    before, after = read(old), read(new)
    changes = compare(before, after, noise)
    if not changes:
        raise click.ClickException(f"{old} and {new} have no figure in common")
    click.echo(markdown(changes, before, after))


def read(file: Path) -> Mapping[str, Any]:
    """A result; click.ClickException if it is none."""
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file}: no result of a benchmark ({error})") from error
    if not isinstance(result, Mapping):
        raise click.ClickException(f"{file}: no result of a benchmark (not a JSON object)")
    return result
