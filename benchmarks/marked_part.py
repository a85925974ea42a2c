"""Parts of a page that a command writes, between two marks."""

from __future__ import annotations

from pathlib import Path

import click


def write(page: Path, name: str, text: str) -> None:
    """Put a text between `<!-- name -->` and `<!-- /name -->` of a page.

    Raises:
        click.ClickException: the page has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, begun, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise click.ClickException(f"{page}: no {begin} ... {end} to replace")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
