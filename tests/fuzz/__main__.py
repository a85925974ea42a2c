"""`python -m tests.fuzz`: many damaged and hostile inputs, always the same ones.

The last line on standard output is one JSON object.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from benchmarks.machine import describe
from tests.fuzz.corpus import FILE, FOUND_BUGS
from tests.fuzz.judge import Verdict, judge
from tests.fuzz.kinds import INPUTS

_KEEP = 12


@click.command()
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(INPUTS)))
@click.option("--count", type=click.IntRange(1), help="Of each kind, instead of 10,000 in all.")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
@click.option("--keep", is_flag=True, help="Make the corpus of those that were answered unlike.")
def fuzz(
    kinds: tuple[str, ...], count: int | None, first: int, file: Path | None, *, keep: bool
) -> None:
    """Hand damaged and hostile inputs to what reads them; exit code 1 if any is a bug."""
    wanted = {
        name: range(first, first + (count or INPUTS[name])) for name in kinds or tuple(INPUTS)
    }
    began_s = time.monotonic()
    verdicts: list[Verdict] = []
    for name, numbers in wanted.items():
        of_kind = list(_reported(name, numbers))
        verdicts += of_kind
    result = _result(verdicts, time.monotonic() - began_s)
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if keep:
        _write_corpus(verdicts)
    click.echo(json.dumps(result))
    raise SystemExit(1 if result["failures"] else 0)


def _reported(name: str, numbers: range) -> list[Verdict]:
    began_s, verdicts = time.monotonic(), []
    for verdict in judge({name: numbers}):
        verdicts.append(verdict)
        if verdict.failed:
            click.echo(f"{name} {verdict.number}: {verdict.outcome}: {verdict.message}", err=True)
    counts = dict(Counter(verdict.outcome for verdict in verdicts))
    click.echo(f"{name}: {counts} in {time.monotonic() - began_s:.0f} s", err=True)
    return verdicts


def _result(verdicts: list[Verdict], seconds: float) -> dict[str, Any]:
    by_kind: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        by_kind.setdefault(verdict.kind, Counter())[verdict.outcome] += 1
    return {
        "question": "does any damaged or hostile input get another answer than a result or a "
        "refusal in one line?",
        "machine": describe(),
        "inputs": len(verdicts),
        "failures": sum(verdict.failed for verdict in verdicts),
        "seconds": round(seconds, 1),
        "peak_mib": max((verdict.peak_mib for verdict in verdicts), default=0),
        "outcomes": {name: dict(sorted(counts.items())) for name, counts in by_kind.items()},
    }


def _write_corpus(verdicts: list[Verdict]) -> None:
    """Keep some of each kind, rare answers first."""
    answers = [(verdict, _answer(verdict)) for verdict in verdicts]
    seen = Counter((verdict.kind, answer) for verdict, answer in answers)
    kept: dict[str, list[int]] = {}
    taken: Counter[tuple[str, str]] = Counter()
    for verdict, answer in sorted(answers, key=lambda pair: seen[pair[0].kind, pair[1]]):
        numbers = kept.setdefault(verdict.kind, [])
        if len(numbers) < _KEEP and taken[verdict.kind, answer] < 2:
            numbers.append(verdict.number)
            taken[verdict.kind, answer] += 1
    ordered = {
        name: sorted({*kept[name], *FOUND_BUGS.get(name, ())}) for name in INPUTS if name in kept
    }
    lines = ",\n".join(f'  "{name}": {json.dumps(numbers)}' for name, numbers in ordered.items())
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def _answer(verdict: Verdict) -> str:
    """The message without what differs from input to input."""
    return re.sub(r"\S*\d\S*|'[^']*'|\"[^\"]*\"|/\S+", "#", verdict.message)[:80]


if __name__ == "__main__":
    fuzz(prog_name="python -m tests.fuzz")
