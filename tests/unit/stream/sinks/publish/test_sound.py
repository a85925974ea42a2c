from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from stream.frame import AudioFormat, AudioPacket
from stream.sinks.publish.sound import Sound
from stream.sinks.publish.target import target_of
from stream.sources.audio import describe
from tests.contract import media

RTMP, TS = (target_of(url, stall_s=1, keyframe_s=1) for url in ("rtmp://host/a/b", "udp://host:9"))


def sound_of(codec: str, path: Path) -> tuple[AudioFormat, list[AudioPacket]]:
    media.write_video(path, sound_s=1.0, sound_codec=codec)
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        form = describe(stream)
        assert form is not None
        packets = [
            AudioPacket(bytes(packet), packet.pts, packet.dts, packet.duration)
            for packet in file.demux(stream)
            if packet.size
        ]
    return form, packets


def test_what_a_receiver_can_carry_is_passed_on(tmp_path: Path) -> None:
    form, packets = sound_of("aac", tmp_path / "a.mp4")
    sound = Sound(form, 128)
    assert sound.for_target(RTMP) is sound.source
    assert sound.for_target(TS) is sound.source
    assert sound.convert(packets) == []


@pytest.mark.parametrize("codec", ["ac3", "libopus"])
def test_what_a_receiver_cannot_carry_becomes_aac_at_the_same_time(
    codec: str, tmp_path: Path
) -> None:
    form, packets = sound_of(codec, tmp_path / "a.mkv")
    sound = Sound(form, 128)
    made = sound.for_target(RTMP)
    assert made is not None
    assert sound.for_target(RTMP) is made, "made once for all"
    assert sound.for_target(TS) is sound.source
    converted = sound.convert(packets)
    sound.close()

    with av.open(io.BytesIO(made.header)) as file:
        decoder = file.streams.audio[0].codec_context
        assert decoder.name == "aac"
        loud, times = 0.0, []
        for packet in converted:
            compressed = av.Packet(packet.data)
            compressed.pts, compressed.dts = packet.pts, packet.dts
            compressed.time_base = made.time_base
            for frame in decoder.decode(compressed):
                times.append(float(frame.pts * made.time_base))
                loud = max(loud, float(np.abs(frame.to_ndarray()).max()))
    assert 0.2 < loud < 0.5, "the tone, not noise"
    assert times[0] < 0.03
    assert 0.85 < times[-1] < 1.05
    assert np.diff(times).min() > 0.02
