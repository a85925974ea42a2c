from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import Any

import av

from stream.sources.packets import owned


class Driver:
    """Lends its packets, as V4L2 does."""

    def __init__(self) -> None:
        self.lent: av.Packet[Any] | None = None
        self.open = True
        self.stream = av.open("null", "w", format="null").add_stream("rawvideo", rate=25)

    def packets(self) -> Generator[av.Packet[Any], None, None]:
        try:
            for number in range(3):
                self.lent = av.Packet(bytes([number] * 16))
                self.lent.pts = self.lent.dts = number
                self.lent.time_base = Fraction(1, 1_000_000)
                self.lent.stream = self.stream
                self.lent.is_keyframe = True
                yield self.lent
            end: av.Packet[Any] = av.Packet()
            end.stream = self.stream
            yield end
        finally:
            self.open = False


def test_packets_of_a_driver_are_copied_whole() -> None:
    driver = Driver()
    packets = list(owned(driver.packets()))
    assert [bytes(packet) for packet in packets] == [b"\0" * 16, b"\1" * 16, b"\2" * 16, b""]
    assert [packet.pts for packet in packets] == [0, 1, 2, None]
    assert all(packet.stream is driver.stream for packet in packets)
    assert packets[1].time_base == Fraction(1, 1_000_000)
    assert packets[1].is_keyframe


def test_no_copy_lies_in_the_drivers_memory() -> None:
    driver = Driver()
    copy = next(packets := owned(driver.packets()))
    assert driver.lent is not None
    assert copy.buffer_ptr != driver.lent.buffer_ptr
    packets.close()


def test_closing_the_copies_gives_the_drivers_packets_back() -> None:
    driver = Driver()
    lent = driver.packets()
    packets = owned(lent)
    next(packets)
    assert driver.open
    packets.close()
    assert not driver.open
