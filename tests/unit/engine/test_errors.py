from __future__ import annotations

from engine.errors import one_line


def test_a_message_is_one_line_and_commands_no_terminal() -> None:
    assert one_line("a\nb\t c ") == "a b c"
    assert one_line("\x1b[31mred\x07 \udcff") == r"\x1b[31mred\x07 \udcff"
    assert one_line("grün 好") == "grün 好"


def test_a_message_has_an_end() -> None:
    assert one_line("abc" * 10_000, longest=6) == "abcabc ..."
