"""The source's sound in a form that a kind of file can hold."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import av

from stream.errors import SinkError
from stream.frame import AudioFormat, AudioPacket
from stream.sinks.aac import AacTranscoder, Rendition
from stream.sinks.file_writer import FileWriter

_AAC_KBPS = 192


class FileSound:
    """Passes packets on as they are, or as AAC where the file cannot hold them.

    One thread uses it.

    Attributes:
        form: of the packets that go into the file.
    """

    def __init__(self, audio: AudioFormat, path: Path, options: Mapping[str, str]) -> None:
        """Tries in memory what the file will take; touches no file.

        Args:
            audio: of the source.
            path: of the file, for its ending.
            options: of its container.

        Raises:
            SinkError: neither as it is nor as AAC.
        """
        self.form = Rendition(audio.header, audio.time_base)
        self._transcoder: AacTranscoder | None = None
        if _holds(path, options, audio.header):
            return
        try:
            self._transcoder = AacTranscoder(audio, _AAC_KBPS)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SinkError(
                f"{path}: {path.suffix} cannot hold {audio.codec} sound, which cannot be made into "
                "AAC either; write an .mkv, or leave the sound out"
            ) from error
        self.form = self._transcoder.rendition

    def convert(self, packets: Iterable[AudioPacket]) -> Iterable[AudioPacket]:
        """The packets in the file's form."""
        if self._transcoder is None:
            return packets
        return [made for packet in packets for made in self._transcoder.convert(packet)]

    def rest(self) -> Iterable[AudioPacket]:
        """What is still in hand at the end."""
        return () if self._transcoder is None else self._transcoder.rest()

    def close(self) -> None:
        """Gives the decoder back."""
        if self._transcoder is not None:
            self._transcoder.close()


def _holds(path: Path, options: Mapping[str, str], header: bytes) -> bool:
    # Some containers refuse a codec when it is added, others when their header is made.
    with av.open(io.BytesIO(header)) as source:
        try:
            with av.open(FileWriter(path), "w", options=dict(options)) as trial:
                trial.add_stream_from_template(source.streams.audio[0])
                trial.start_encoding()
        except (av.error.FFmpegError, OSError, ValueError):
            return False
    return True
