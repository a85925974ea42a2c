"""Sound of inputs that follow each other."""

from __future__ import annotations

from stream.frame import AudioFormat, AudioPacket
from stream.timebase import to_ticks


class JoinedSound:
    """Packets of one input after the other, on the first one's clock and in its codec."""

    def __init__(self, audio: AudioFormat | None) -> None:
        """Take the format from the first input; None for no sound, whatever follows."""
        self._format = audio
        self._last_dts: int | None = None

    def leaves_out(self, audio: AudioFormat | None) -> bool:
        """Whether an input has sound that cannot follow, because its codec is another one."""
        if audio is None or self._format is None:
            return False
        ours, theirs = ((one.codec, one.sample_rate, one.layout) for one in (self._format, audio))
        return ours != theirs

    def joined(
        self, packets: tuple[AudioPacket, ...], audio: AudioFormat | None, by_ns: int
    ) -> tuple[AudioPacket, ...]:
        """An input's packets, moved; without those that overlap with the input before.

        Args:
            packets: the input's next ones.
            audio: their format.
            by_ns: how much later they are now, the same for all packets of an input.

        Returns:
            None of them if they cannot follow.
        """
        if self._format is None or audio is None or self.leaves_out(audio):
            return ()
        tick = self._format.time_base
        by, scale = to_ticks(by_ns, tick), audio.time_base / tick
        kept = []
        for packet in packets:
            moved = packet.moved(by, scale)
            if self._last_dts is None or moved.dts > self._last_dts:
                self._last_dts = moved.dts
                kept.append(moved)
        return tuple(kept)
