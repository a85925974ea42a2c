from __future__ import annotations

import base64
import io
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from stream.sinks.encoder import TIME_BASE, EncoderSettings, H264Encoder
from stream.sinks.publish import worker
from stream.sinks.publish.worker import END, KEY_PICTURE, PICTURE, Message, Setup
from tests import barcode


def pipe(*parts: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(b"".join(parts)))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(worker, "_say", lines.append)
    monkeypatch.setattr(worker, "_die_with_parent", lambda: None)
    monkeypatch.setattr(worker, "_keep_young", lambda: None)
    return lines


def setup(path: Path, key_picture: bytes) -> Setup:
    base = (TIME_BASE.numerator, TIME_BASE.denominator)
    picture = base64.b64encode(key_picture).decode()
    return Setup(f"file:{path}", "mpegts", {}, picture, "", base, base, {}, [])


def messages(count: int) -> list[Message]:
    encoder = H264Encoder(96, 64, EncoderSettings(encoder="libx264"))
    made = [
        packet
        for number in range(count)
        for packet in encoder.encode(barcode.picture(number), 10**12 + number * 40_000_000)
    ]
    return [
        Message(KEY_PICTURE if one.is_key else PICTURE, one.data, one.pts, one.pts) for one in made
    ]


def test_a_stream_begins_at_zero_with_the_first_key_frame(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = messages(5)
    late = Message(PICTURE, sent[1].data, sent[0].pts - 1, sent[0].pts - 1)
    file = tmp_path / "out.ts"
    parts = [one.packed() for one in [late, *sent, Message(END)]]
    monkeypatch.setattr(sys, "stdin", pipe(setup(file, sent[0].data).packed(), *parts))
    assert worker.main() == 0
    assert said == ["ready", "connected", *["sent"] * 6, "ended"]
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        times = [frame.pts * stream.time_base for frame in container.decode(stream)]
    assert [time - times[0] for time in times] == [Fraction(k, 25) for k in range(5)]
    assert times[0] < 1.5, "not by the source's clock"


def test_a_failure_is_told_without_the_url(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = messages(1)
    wanted = setup(tmp_path / "missing" / "out.ts", sent[0].data)
    monkeypatch.setattr(sys, "stdin", pipe(wanted.packed()))
    assert worker.main() == 1
    assert said == ["ready", "failed No such file or directory"]


def test_it_ends_when_its_parent_is_gone(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = messages(2)
    wanted = setup(tmp_path / "out.ts", sent[0].data)
    monkeypatch.setattr(sys, "stdin", pipe(wanted.packed(), sent[0].packed()[:-1]))
    assert worker.main() == 1
    assert said == ["ready", "connected"]
