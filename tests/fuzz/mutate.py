"""Damaged and hostile versions of good inputs; the same number gives the same bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

Mutation: TypeAlias = Callable[[bytearray, Sequence[bytes], random.Random], None]

_LARGEST = 1 << 20
_SIZES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LONG_SIZES = (1 << 31, 1 << 32, (1 << 63) - 1, (1 << 64) - 1)


def mutated(seeds: Sequence[bytes], words: Sequence[bytes], name: str, number: int) -> bytes:
    """One input.

    Args:
        seeds: good inputs, one of which is damaged; pieces may come from the others.
        words: what means something in this format, put in at random places.
        name: of the kind of input.
        number: which one.
    """
    chance = random.Random(f"{name} {number}")  # noqa: S311 - no secret
    data = bytearray(chance.choice(seeds))
    others = [*seeds, *words] if words else seeds
    for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 2, 4))):
        chance.choice(_MUTATIONS)(data, others, chance)
        del data[_LARGEST:]
    return bytes(data)


def _place(data: bytearray, chance: random.Random, room: int = 1) -> int:
    # Headers are small and come first; most of a file is pictures, where damage is dull.
    end = max(len(data) - room, 0)
    return chance.randint(0, min(end, chance.choice((64, 1024, end, end, end))))


def _flip_bits(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 16)) if data else 0):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _random_bytes(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    place, count = _place(data, chance), chance.choice((1, 4, 64))
    data[place : place + count] = chance.randbytes(count)


def _cut_off(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _cut_out(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 4, 100, 2000))]


def _splice(data: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(others)
    begin = _place(bytearray(other), chance)
    piece = other[begin : begin + chance.choice((8, 100, 3000))]
    place = _place(data, chance)
    data[place : place + chance.choice((0, len(piece)))] = piece


def _repeat(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    piece = bytes(data[place : place + chance.choice((1, 8, 200, 4000))])
    data[place:place] = piece * chance.choice((1, 3, 50, 1000))


def _hostile_size(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    order = chance.choice("<>")
    if chance.randrange(4) == 0:
        number = struct.pack(f"{order}Q", chance.choice(_LONG_SIZES))
    else:
        width = chance.choice("BHI")
        size = chance.choice(_SIZES) & ((1 << 8 * struct.calcsize(width)) - 1)
        number = struct.pack(f"{order}{width}", size)
    place = _place(data, chance, len(number))
    data[place : place + len(number)] = number


def _hostile_varint(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    data[place : place + 1] = b"\xff" * chance.choice((1, 4, 9, 12)) + b"\x01"


def _hostile_digits(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    digits = [place for place, byte in enumerate(data[:65536]) if 0x30 <= byte <= 0x39]
    if digits:
        place = chance.choice(digits)
        data[place : place + 1] = chance.choice(
            (b"-1", b"0", b"1e999", b"nan", b"9" * 30, b"9" * 5000, b"0.5", b"null", b'"x"')
        )


_MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bits, _random_bytes, _cut_off, _cut_out, _splice),
    *(_repeat, _hostile_size, _hostile_varint, _hostile_digits),
)
