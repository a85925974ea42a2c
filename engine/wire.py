"""Protocol Buffers' wire format: a message as a sequence of numbered fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class DamagedMessageError(ValueError):
    """Bytes that are no message, or only the beginning of one."""


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Iterate over the fields of a message.

    Args:
        data: the message, not copied.

    Yields:
        Field number and value: an integer, or the bytes of a text, a message, a packed list or
        a fixed-size number.

    Raises:
        DamagedMessageError: the bytes are no message, or end too early.
    """
    place, end = 0, len(data)
    while place < end:
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise DamagedMessageError(f"field number 0 at byte {place}")
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(data, place)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise DamagedMessageError(f"unknown kind of field {kind} at byte {place}")
        if size > end - place:
            raise DamagedMessageError(f"field of {size} bytes, {end - place} are left")
        yield number, data[place : place + size]
        place += size


def message(parts: Iterable[tuple[int, int | bytes | memoryview]]) -> bytes:
    """Write a message, the reverse of `fields` but for fixed-size numbers.

    Args:
        parts: field number and value: an integer of 0 or more, or the bytes of a text, a message or
            a packed list.
    """
    written = bytearray()
    for number, value in parts:
        if isinstance(value, int):
            written += _as_varint(number << 3 | _VARINT) + _as_varint(value)
        else:
            written += _as_varint(number << 3 | _BYTES) + _as_varint(len(value)) + value
    return bytes(written)


def integers(value: int | memoryview) -> list[int]:
    """A repeated integer field, packed or one at a time."""
    if isinstance(value, int):
        return [value]
    numbers, place = [], 0
    while place < len(value):
        number, place = _varint(value, place)
        numbers.append(number)
    return numbers


def text(value: memoryview) -> str:
    """A string field.

    Raises:
        DamagedMessageError: it is not UTF-8.
    """
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise DamagedMessageError("a name that is no text") from error


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[place : place + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise DamagedMessageError(f"unfinished number at byte {place}")


def _as_varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))
