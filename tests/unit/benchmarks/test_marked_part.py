from __future__ import annotations

from pathlib import Path

import click
import pytest

from benchmarks import marked_part


def test_only_what_lies_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- peers -->\nold\n<!-- /peers -->\nz\n")
    marked_part.write(page, "peers", "new")
    assert page.read_text() == "a\n<!-- peers -->\nnew\n<!-- /peers -->\nz\n"


@pytest.mark.parametrize("text", ["a page", "<!-- peers --> without an end"])
def test_a_page_without_the_marks_stays_as_it_is(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(click.ClickException, match="no <!-- peers -->"):
        marked_part.write(page, "peers", "new")
    assert page.read_text() == text
