from __future__ import annotations

import pytest

from engine.wire import DamagedMessageError, fields, integers, message, text


def joined(*parts: bytes) -> memoryview:
    return memoryview(b"".join(parts))


def test_numbers_texts_and_fixed_sizes() -> None:
    data = joined(b"\x08\x96\x01", b"\x12\x02hi", b"\x1d\x01\x02\x03\x04", b"\x21" + bytes(8))
    (one, number), (two, word), (three, fixed), (four, wide) = fields(data)
    assert (one, two, three, four) == (1, 2, 3, 4)
    assert number == 150
    assert isinstance(word, memoryview)
    assert text(word) == "hi"
    assert isinstance(fixed, memoryview)
    assert bytes(fixed) == b"\x01\x02\x03\x04"
    assert isinstance(wide, memoryview)
    assert len(wide) == 8


def test_lists_are_read_packed_or_one_by_one() -> None:
    assert integers(memoryview(b"\x01\x96\x01\x02")) == [1, 150, 2]
    assert integers(7) == [7]


@pytest.mark.parametrize(
    "damaged",
    [b"\x12\x05hi", b"\x08", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0b", b"\x00\x01"],
    ids=["cut off", "number missing", "endless number", "group", "field zero"],
)
def test_damage_is_found(damaged: bytes) -> None:
    with pytest.raises(DamagedMessageError):
        list(fields(memoryview(damaged)))


def test_a_name_that_is_no_text() -> None:
    with pytest.raises(DamagedMessageError):
        text(memoryview(b"\xff\xfe"))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**31, 2**63])
def test_what_is_written_is_read_again(number: int) -> None:
    parts: list[tuple[int, int | bytes]] = [(1, number), (20, b"text"), (3000, b"x" * 200)]
    read = fields(memoryview(message(parts)))
    assert [(key, part if isinstance(part, int) else bytes(part)) for key, part in read] == parts
