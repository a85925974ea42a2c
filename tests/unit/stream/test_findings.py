from __future__ import annotations

from io import StringIO

from rich.console import Console

from stream.findings import Finding, Section, listed, show

LONG = "pip uninstall -y " + " ".join(f"package-{index}" for index in range(20))


def shown(*findings: Finding, width: int = 60) -> list[str]:
    console = Console(file=StringIO(), width=width)
    show(Section("Part [x]", findings), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_lines_are_aligned_and_wrapped_under_themselves() -> None:
    lines = shown(Finding("thing", "ok", "one two three " * 6), Finding("other", "fail", "bad"))
    assert lines[0] == "Part [x]"
    column = lines[1].index("one")
    assert lines[2].index("one") == column or lines[2][:column].isspace()
    assert lines[-2] == f"  {'FAIL':<5}{'other':<17} bad"
    assert all(len(line) <= 60 and line == line.rstrip() for line in lines)


def test_a_fix_stays_in_one_piece_for_copying() -> None:
    assert f"       -> {LONG}" in shown(Finding("thing", "warn", "bad", LONG))


def test_brackets_are_no_markup() -> None:
    assert any("[/red] [bold]" in line for line in shown(Finding("[x]", "ok", "[/red] [bold]")))


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    text = "\n".join(shown(Finding("a\x1b[2J", "ok", "b\x1b]0;title\x07", "c\x1b[1m\r")))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\r" not in text


def test_lists() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == "none"
    assert listed(iter(()), "nothing") == "nothing"
