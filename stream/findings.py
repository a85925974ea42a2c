"""Lines of an examination: what is so, whether that is well, and what to do if not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rich.console import Console
from rich.text import Text

Verdict: TypeAlias = Literal["ok", "fact", "note", "warn", "fail"]

_STYLES: dict[Verdict, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "fact": ("", ""),
    "note": ("note", "dim"),
    "warn": ("warn", "yellow"),
    "fail": ("FAIL", "bold red"),
}
_SUBJECT_WIDTH = 17
_INDENT = 2 + 5 + _SUBJECT_WIDTH + 1
_NARROWEST = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Attributes:
        subject: what was looked at, in a word or two.
        verdict: `ok`; `fact`, if there is nothing to judge; `note`, for what is absent and not
            needed; `warn`, for what works less well than it could; `fail`, for what does not work.
        says: the fact.
        fix: what to do, where possible a command to be copied; empty if nothing is to be done.
    """

    subject: str
    verdict: Verdict
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Findings about one part."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether anything in it does not work."""
        return any(finding.verdict == "fail" for finding in self.findings)


def show(section: Section, console: Console) -> None:
    """Print a section: aligned, in words as well as in colors, fixes in one piece for copying."""
    console.print(Text(section.name, "bold"))
    room = max(console.width - _INDENT, _NARROWEST)
    for finding in section.findings:
        word, style = _STYLES[finding.verdict]
        lines = textwrap.wrap(_printable(finding.says), room, break_long_words=False) or [""]
        console.print(
            Text.assemble(
                "  ",
                (f"{word:<5}", style),
                f"{_printable(finding.subject):<{_SUBJECT_WIDTH}} ",
                f"\n{' ' * _INDENT}".join(lines),
            ),
            soft_wrap=True,
        )
        if finding.fix:
            # A line break inside of a command would break it.
            console.print(Text(f"       -> {_printable(finding.fix)}", "cyan"), soft_wrap=True)
    console.print()


def _printable(text: str) -> str:
    """Names come from files of strangers too: no escape sequence of theirs reaches a terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def listed(items: Iterable[str], nothing: str = "none") -> str:
    """Items joined by commas, or a word for none."""
    return ", ".join(items) or nothing
