"""Packets of one open input, waited for with patience that ends."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import cast

import av
from av.stream import Stream

from stream.errors import SourceError
from stream.sources.failures import reason
from stream.sources.interruption import Interruption
from stream.timebase import NS_PER_S

_TIMEOUTS = (av.error.ExitError, TimeoutError)
"""FFmpeg's own timeouts: of PyAV's callback, and of its sockets."""


class Packets:
    """Demuxes until the end, an interruption, damage, or the loss of a live input.

    Attributes:
        read_ns: how long reading took since a picture was wanted last.
        broken: why a file could not be read to its end, None while it can.
    """

    def __init__(
        self,
        packets: Generator[av.Packet[Stream], None, None],
        name: str,
        patience_s: float,
        *,
        live: bool,
        interruption: Interruption,
    ) -> None:
        """Read nothing yet.

        Args:
            packets: as the open input demuxes them.
            name: for messages.
            patience_s: the longest wait for a picture of a live input, or for a packet of a file.
            live: the input is lost when no picture comes.
            interruption: ends the iteration, on any thread but the main one.
        """
        self._packets = packets
        self._name = name
        self._patience_ns = round(patience_s * NS_PER_S)
        self._live = live
        self._interruption = interruption
        self._since_ns = time.monotonic_ns()
        self.read_ns = 0
        self.broken: str | None = None

    def want_picture(self) -> None:
        """Begin to wait for the next picture: it is missed from now on."""
        self.read_ns = 0
        self._since_ns = time.monotonic_ns()

    def close(self) -> None:
        """Read no more; to be called before the input is closed.

        Otherwise PyAV's timeout would go on, on a clock that may have run away meanwhile.
        """
        self._packets.close()

    def __iter__(self) -> Iterator[av.Packet[Stream]]:
        """Yields packets; the last ones are empty and make decoders give out what they hold.

        Raises:
            SourceError: a live input is lost.
        """
        while not self._interruption.stopped:
            began_ns = time.monotonic_ns()
            try:
                packet = self._next()
            except av.error.FFmpegError as error:
                if self._interruption.stopped:
                    return
                if self._live:
                    self._check_silence()
                    says = "no more data" if isinstance(error, _TIMEOUTS) else reason(error)
                    raise SourceError(f"{self._name}: source lost: {says}") from error
                self.broken = reason(error)
                return
            if packet is None:
                return
            self.read_ns += time.monotonic_ns() - began_ns
            yield packet
            if self._live:
                self._check_silence()

    def _next(self) -> av.Packet[Stream] | None:
        patience_ns = self._patience_ns - (self._silent_ns() if self._live else 0)
        while not self._interruption.has_data():
            self._check_silence()
        if self._interruption.stopped:
            return None
        with self._interruption.within(patience_ns / NS_PER_S):
            return next(self._packets, None)

    def _silent_ns(self) -> int:
        return time.monotonic_ns() - self._since_ns

    def _check_silence(self) -> None:
        # No read timeout sees this: bytes arrive, but none that make a picture.
        silent_ns = self._silent_ns()
        if silent_ns >= self._patience_ns:
            raise SourceError(
                f"{self._name}: source lost: no picture for {silent_ns / NS_PER_S:.1f} s"
            )


def owned(
    packets: Generator[av.Packet[Stream], None, None],
) -> Generator[av.Packet[Stream], None, None]:
    """Copies of packets that lie in the memory of a V4L2 driver.

    A decoded raw picture still lies there. Whoever held one while its device was closed would
    crash the process when letting it go: FFmpeg then hands the memory to a driver that is gone.

    Args:
        packets: as the open device demuxes them; closed with the copies.
    """
    with closing(packets):
        for packet in packets:
            if not packet.size:  # the end
                yield packet
                continue
            # Not of a view: that would keep the driver's memory.
            copy: av.Packet[Stream] = av.Packet(bytes(cast("bytes", packet)))
            copy.stream, copy.time_base = packet.stream, packet.time_base
            copy.pts, copy.dts, copy.is_keyframe = packet.pts, packet.dts, packet.is_keyframe
            yield copy
