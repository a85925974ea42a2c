"""The source's sound in the forms that receivers can carry."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable

import av

from stream.frame import AudioFormat, AudioPacket
from stream.sinks.aac import AacTranscoder, Rendition
from stream.sinks.publish.target import Target

_log = logging.getLogger(__name__)


class Sound:
    """Passes packets on, and encodes them anew once for all receivers that need it.

    One thread uses it.

    Attributes:
        source: the packets as they are.
        aac: the packets as AAC; None until a target needs it, or when it cannot be made.
    """

    def __init__(self, audio: AudioFormat, kbps: int) -> None:
        """Reads the description of the sound.

        Args:
            audio: of the source.
            kbps: of AAC that has to be made.
        """
        self._audio = audio
        self._kbps = kbps
        self.source = Rendition(audio.header, audio.time_base)
        self.aac: Rendition | None = None
        self._transcoder: AacTranscoder | None = None
        with av.open(io.BytesIO(audio.header)) as file:
            self._has_parameters = bool(file.streams.audio[0].codec_context.extradata)

    def for_target(self, target: Target) -> Rendition | None:
        """The form that a target can carry; None if the sound cannot be brought there."""
        codec = self._audio.codec
        bare = codec != "aac" or self._has_parameters or not target.bare_aac
        if codec in target.sound and bare:
            return self.source
        if self._transcoder is None:
            try:
                self._transcoder = AacTranscoder(self._audio, self._kbps)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                _log.warning("%s: no sound: %s cannot become AAC (%s)", target.name, codec, error)
                return None
            self.aac = self._transcoder.rendition
        return self.aac

    def convert(self, packets: Iterable[AudioPacket]) -> list[AudioPacket]:
        """The packets as AAC, as far as that goes; what cannot be decoded is left out."""
        if self._transcoder is None:
            return []
        return [made for packet in packets for made in self._transcoder.convert(packet)]

    def close(self) -> None:
        """Gives decoder and encoder back."""
        if self._transcoder is not None:
            self._transcoder.close()
