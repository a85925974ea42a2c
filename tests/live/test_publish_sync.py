"""A flash and a beep at the same moment stay together, wherever they are sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.pipeline import Pipeline
from stream.sinks import Sink, SinkSettings, open_sink
from stream.sinks.publish import Publisher, PublishSettings
from stream.sources import SourceSettings, open_source
from tests.live.broadcast import PATIENCE_S
from tests.live.needs import needs
from tests.live.servers.rtmp import RtmpServer

RATE_HZ, SAMPLE_RATE = 25, 48_000
LENGTH_S = 4
CLAPS_S = (1.32, 2.12, 2.92, 3.52)  # on times of pictures
CLAP_S = 0.08
TOLERANCE_S = 0.020

SETTINGS = PublishSettings(encoder="libx264", keyframe_s=0.4)
SINK = SinkSettings(preset="ultrafast")


def claps_at(times: np.ndarray) -> np.ndarray:
    """Whether it flashes and beeps at these times."""
    return np.logical_or.reduce([(times >= clap) & (times < clap + CLAP_S) for clap in CLAPS_S])


def clip(path: Path, codec: str) -> Path:
    """Dark and silent, but for the claps."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE_HZ, options={"bf": "2"})
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        sound = output.add_stream(codec, rate=SAMPLE_RATE)
        sound.layout = "stereo"
        for k in range(LENGTH_S * RATE_HZ):
            bright = bool(claps_at(np.array([k / RATE_HZ + 1e-6]))[0])
            image = np.full((96, 160, 3), 235 if bright else 20, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            frame.pts, frame.time_base = k, Fraction(1, RATE_HZ)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        size = sound.codec_context.frame_size or 1024
        for start in range(0, LENGTH_S * SAMPLE_RATE, size):
            times = np.arange(start, start + size) / SAMPLE_RATE
            wave = np.where(claps_at(times), 0.5 * np.sin(times * 2 * np.pi * 1000), 0.0)
            samples = np.stack([wave, wave]).astype(np.float32)
            if sound.format.name == "flt":
                samples = np.ascontiguousarray(samples.T).reshape(1, -1)
            beep = av.AudioFrame.from_ndarray(samples, sound.format.name, "stereo")
            beep.sample_rate, beep.pts, beep.time_base = (
                SAMPLE_RATE,
                start,
                Fraction(1, SAMPLE_RATE),
            )
            output.mux(sound.encode(beep))
        output.mux(sound.encode(None))
    return path


def onsets(samples: list[tuple[float, bool]]) -> list[float]:
    """When it began, each time that it did; what was on from the beginning does not count."""
    found, was = [], True
    for time, loud in samples:
        if loud and not was:
            found.append(time)
        was = loud
    return found


def claps(url: str, options: dict[str, str] | None = None) -> tuple[list[float], list[float]]:
    """When it flashes and when it beeps, by the clock of whoever plays it."""
    light: list[tuple[float, bool]] = []
    loud: list[tuple[float, bool]] = []
    with av.open(url, options=options or {}, timeout=PATIENCE_S) as player:
        try:
            for frame in player.decode(player.streams.video[0], player.streams.audio[0]):
                assert frame.time is not None
                if isinstance(frame, av.VideoFrame):
                    gray = frame.to_ndarray(format="gray")
                    light.append((frame.time, float(gray.mean()) > 128))
                else:
                    loud.extend(_loudness(frame))
        except av.error.FFmpegError:
            pass  # A live stream ends by silence.
    return onsets(light), onsets(loud)


def _loudness(frame: av.AudioFrame) -> Iterator[tuple[float, bool]]:
    wave = np.abs(frame.to_ndarray().astype(np.float64))
    wave = wave[0] if frame.format.is_planar else wave.reshape(-1, frame.layout.nb_channels)[:, 0]
    # Of a thousand cycles a second each millisecond holds two peaks.
    step = frame.sample_rate // 1000
    for start in range(0, len(wave) - step + 1, step):
        yield frame.time + start / frame.sample_rate, bool(wave[start : start + step].max() > 0.2)


@needs("nginx-rtmp")
@pytest.mark.parametrize("codec", ["aac", "ac3"], ids=["copied", "made into AAC"])
def test_flash_and_beep_stay_together(codec: str, tmp_path: Path) -> None:
    original = clip(tmp_path / "claps.mp4", codec)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        found.bind(("127.0.0.1", 0))
        tcp = f"tcp://127.0.0.1:{found.getsockname()[1]}"
    with (
        RtmpServer(tmp_path) as server,
        ThreadPoolExecutor(2) as viewers,
        open_source(str(original), SourceSettings(paced=True)) as source,
    ):
        copy = tmp_path / "copy.mp4"
        publisher = Publisher([server.url(), tcp], source.info, SETTINGS)
        sinks: dict[str, Sink] = {
            "file": open_sink(str(copy), source.info, SINK),
            "publish": publisher,
        }
        run = threading.Thread(target=Pipeline(source, {}, sinks, live=True).run)
        run.start()
        by_tcp = viewers.submit(claps, f"{tcp}?listen=1")
        by_rtmp = viewers.submit(claps, server.url(), {"rw_timeout": "2000000"})
        run.join()
        assert all(health.sent for health in publisher.health().values())
    seen = {"file": claps(str(copy)), "tcp": by_tcp.result(), "rtmp": by_rtmp.result()}
    for name, (flashes, beeps) in seen.items():
        expected = len(CLAPS_S) if name == "file" else len(CLAPS_S) - 1  # who joins late
        assert len(flashes) >= expected, seen
        assert len(beeps) >= expected, seen
        pairs = list(zip(reversed(flashes), reversed(beeps), strict=False))
        errors = [beep - flash for flash, beep in pairs]
        assert max(map(abs, errors)) <= TOLERANCE_S, (name, errors)
